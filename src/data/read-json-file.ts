import { readFile } from 'node:fs/promises';
import { NighError } from '../core/errors.js';
import { fileError } from './file-error.js';

/**
 * What a JSON file holds, whatever that is.
 * @throws NighError NOT_FOUND, IO, FORMAT for what is no JSON
 */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw fileError(path, cause);
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new NighError('FORMAT', `${path}: not valid JSON: ${(cause as Error).message}.`, { cause });
  }
}
