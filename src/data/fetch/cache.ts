import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
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

/**
 * Makes something in a temporary directory of the cache and, when it is whole, moves it to its place by one rename. Nothing
 * remains of a failure. When another process has put the same thing there meanwhile, that one stays.
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
    temporary = await mkdtemp(join(cache, '.partial-'));
  } catch (error) {
    throw fileError(cache, error);
  }
  try {
    const made = await make(temporary);
    await rename(made, place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw fileError(place, error);
    });
    return place;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
