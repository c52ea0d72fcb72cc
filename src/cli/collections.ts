/** Where collections live: a name stands for a directory below `NIGH_INDEXES` (default `./indexes`), anything with a separator for itself. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';

/** The recipes that come with the package. */
const bundled = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'indexes');

/** The directory that holds the collections. */
export function indexesDirectory(): string {
  const chosen = process.env.NIGH_INDEXES;
  return resolve(chosen === undefined || chosen === '' ? 'indexes' : chosen);
}

/** The directory that a collection's name or path stands for, whatever is there. */
export function collectionPath(name: string): string {
  return isPath(name) ? resolve(name) : join(indexesDirectory(), name);
}

/**
 * The directory of a collection that has been built.
 * @throws NighError UNKNOWN_COLLECTION naming the nearest one, or the command that builds it
 */
export function collectionDirectory(name: string): string {
  const directory = collectionPath(name);
  if (existsSync(join(directory, 'CURRENT'))) return directory;
  const shown = JSON.stringify(name);
  if (!isPath(name) && recipeOf(name) !== undefined) {
    throw new NighError(
      'UNKNOWN_COLLECTION',
      `The collection ${shown} has a recipe but is not built; run: nigh build ${name}`,
    );
  }
  if (isPath(name)) throw new NighError('UNKNOWN_COLLECTION', `There is no built collection in ${directory}.`);
  const known = builtCollections();
  const hint = didYouMean(name, [...known, ...recipes()]);
  const list = known.length === 0 ? ' Nothing is built there.' : ` Built there: ${known.join(', ')}.`;
  throw new NighError(
    'UNKNOWN_COLLECTION',
    `There is no collection ${shown} in ${indexesDirectory()}.${hint === '' ? list : hint}`,
  );
}

/** What `nigh build` is asked to build, and where the collection goes. */
export interface BuildTarget {
  /** The recipe's file. */
  readonly recipe: string;
  /** The collection's directory. */
  readonly directory: string;
}

/**
 * A recipe by name or path. A recipe of the package, built from elsewhere, goes to the own `indexes` directory.
 * @param out the directory to build in instead
 * @throws NighError NOT_FOUND naming the nearest recipe
 */
export function buildTarget(name: string, out: string | undefined): BuildTarget {
  const recipe = recipeOf(name);
  if (recipe === undefined) {
    const hint = isPath(name) ? '' : didYouMean(name, recipes()) || ` Recipes: ${recipes().join(', ')}.`;
    const what = isPath(name)
      ? `There is no recipe ${resolve(name)}.`
      : `There is no recipe called ${JSON.stringify(name)}.`;
    throw new NighError('NOT_FOUND', what + hint);
  }
  if (out !== undefined) return { recipe, directory: resolve(out) };
  if (isPath(name)) {
    // indexes/movies/recipe.json builds indexes/movies; my-films.json builds a directory my-films beside it.
    const stem = basename(recipe, '.json');
    return { recipe, directory: stem === 'recipe' ? dirname(recipe) : join(dirname(recipe), stem) };
  }
  return { recipe, directory: join(indexesDirectory(), name) };
}

function recipeOf(name: string): string | undefined {
  const candidates = isPath(name)
    ? [resolve(name), join(resolve(name), 'recipe.json')]
    : [indexesDirectory(), bundled].map((directory) => join(directory, name, 'recipe.json'));
  return candidates.find((path) => path.endsWith('.json') && existsSync(path));
}

/** Whether a name is meant as a path: it has a separator, or ends as a file does. */
export function isPath(name: string): boolean {
  return /[\\/]/.test(name) || name === '.' || name === '..' || /\.(json|ann)$/.test(name);
}

/** Names of the collections that are built. */
function builtCollections(): string[] {
  return foldersWith(indexesDirectory(), 'CURRENT');
}

/** Names of the recipes at hand. */
function recipes(): string[] {
  return [
    ...new Set([...foldersWith(indexesDirectory(), 'recipe.json'), ...foldersWith(bundled, 'recipe.json')]),
  ].sort();
}

function foldersWith(directory: string, file: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => existsSync(join(directory, name, file)))
    .sort();
}
