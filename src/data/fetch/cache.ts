import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { hasEnded, processMark } from '../../core/process-mark.js';
import { fileError } from '../file-error.js';
import type { FetchContext } from '../load-context.js';

/** Where downloads are kept: NIGH_CACHE, else XDG_CACHE_HOME/nigh, else ~/.cache/nigh. */
export function cacheDirectory({ environment = process.env }: FetchContext): string {
  if (environment.NIGH_CACHE) return resolve(environment.NIGH_CACHE);
  if (environment.XDG_CACHE_HOME) return resolve(environment.XDG_CACHE_HOME, 'nigh');
  return join(homedir(), '.cache', 'nigh');
}

/** The user's own directory of datasets, NIGH_DATA; undefined where it is not set. */
export function dataDirectory({ environment = process.env }: FetchContext): string | undefined {
  return environment.NIGH_DATA ? resolve(environment.NIGH_DATA) : undefined;
}

/** Temporary directories of the cache: this, the mark of the process that uses it, a dash, and something that occurs once. */
const partial = '.partial-';

/**
 * Makes something in a temporary directory of the cache and, when it is whole, moves it to its place by one rename. Nothing
 * remains of a failure; what remains of a killed process, `removeLeftovers` removes. When another process has put the same thing
 * there meanwhile, that one stays.
 * @param make fills the directory it is given and returns the path of what is to be moved
 * @returns the path in the cache
 */
export async function addToCache(
  context: FetchContext,
  name: string,
  make: (temporary: string) => Promise<string>,
): Promise<string> {
  const cache = cacheDirectory(context);
  const place = join(cache, name);
  let temporary: string;
  try {
    await mkdir(cache, { recursive: true });
    temporary = await mkdtemp(join(cache, `${partial}${await processMark()}-`));
  } catch (error) {
    throw fileError(cache, error);
  }
  try {
    const made = await make(temporary);
    // The name may have a folder of its own.
    await mkdir(dirname(place), { recursive: true });
    await rename(made, place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw fileError(place, error);
    });
    return place;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Removes the temporary directories that killed processes have left in the cache. Those of processes that run, or that ran on another
 * machine which shares the cache, stay.
 */
export async function removeLeftovers(context: FetchContext): Promise<void> {
  const cache = cacheDirectory(context);
  // Without a cache there is nothing to remove; whether it can be used is for the fetch to find out.
  const names = await readdir(cache).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(partial)) continue;
    const mark = name.slice(partial.length, name.lastIndexOf('-'));
    if (!(await hasEnded(mark))) continue;
    // Another fetch may be removing it too, and it may be another user's: neither is in the way of this fetch, and the next tries again.
    await rm(join(cache, name), { recursive: true, force: true }).catch(() => {});
  }
}
