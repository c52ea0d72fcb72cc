import { NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { joinPath } from '../core/params.js';
import type { SpaceRecipe } from './recipe.js';

/**
 * The spaces so that each comes after those that it uses, and otherwise in the order given.
 * @throws NighError INVALID_ARGUMENT for a space that is not there, or that would be needed for itself
 */
export function buildOrder(spaces: readonly SpaceRecipe[], path: string): readonly SpaceRecipe[] {
  const byName = new Map(spaces.map((space) => [space.name, space]));
  const ordered = new Set<SpaceRecipe>();
  const visit = (space: SpaceRecipe, users: readonly string[]): void => {
    if (ordered.has(space)) return;
    const trail = [...users, space.name];
    if (users.includes(space.name)) {
      const circle = trail.slice(trail.indexOf(space.name)).join(' → ');
      throw new NighError('INVALID_ARGUMENT', `${joinPath(path, space.name)}: uses itself in the end: ${circle}.`);
    }
    for (const name of space.uses) {
      const used = byName.get(name);
      if (used === undefined) {
        const hint = didYouMean(name, byName.keys()) || ` The recipe has: ${[...byName.keys()].join(', ')}.`;
        throw new NighError(
          'INVALID_ARGUMENT',
          `${joinPath(path, space.name)}: uses the space ${JSON.stringify(name)}, which is not there.${hint}`,
        );
      }
      visit(used, trail);
    }
    ordered.add(space);
  };
  for (const space of spaces) visit(space, []);
  return [...ordered];
}
