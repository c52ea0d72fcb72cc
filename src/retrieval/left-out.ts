import type { SpaceRecipe } from './recipe.js';

/** A space that a build passed over, and what is needed for it, by the name that `nigh fetch` takes. */
export interface LeftOutSpace {
  readonly name: string;
  readonly embedding: string;
  readonly needs: string;
}

/**
 * The optional spaces for which something would have to be downloaded, and those that use them, in the order given.
 * @param order the spaces, each after those that it uses
 */
export async function leftOutSpaces(order: readonly SpaceRecipe[]): Promise<readonly LeftOutSpace[]> {
  const needs = new Map<string, string>();
  for (const { name, optional, uses, fetches } of order) {
    if (!optional) continue;
    const lacking = (await fetches({})) ?? uses.map((used) => needs.get(used)).find((need) => need !== undefined);
    if (lacking !== undefined) needs.set(name, lacking);
  }
  return order.flatMap(({ name, embedding }) => {
    const need = needs.get(name);
    return need === undefined ? [] : [{ name, embedding, needs: need }];
  });
}
