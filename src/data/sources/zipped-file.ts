import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NighError } from '../../core/errors.js';
import { dataDirectory } from '../fetch/cache.js';
import { unzipFiles } from '../fetch/unzip.js';
import type { FetchContext, LoadContext } from '../load-context.js';

/**
 * Hands the path of a file of a folder to `use`: the file itself where it lies there, else what one of its archives holds, extracted for
 * as long as `use` takes.
 * @param archives names of zip archives with the file at their top
 * @throws NighError NOT_FOUND, FORMAT for a damaged archive, IO, ABORTED, and what `use` throws
 */
export async function withUnzipped<T>(
  folder: string,
  file: string,
  archives: readonly string[],
  context: FetchContext,
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (await exists(join(folder, file))) return use(join(folder, file));
  for (const archive of archives) {
    if (!(await exists(join(folder, archive)))) continue;
    const temporary = await mkdtemp(join(tmpdir(), 'nigh-unzipped-'));
    try {
      await unzipFiles(join(folder, archive), '', [file], temporary, context.signal);
      return await use(join(temporary, file));
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
  throw new NighError('NOT_FOUND', `${folder}: expected ${[file, ...archives].join(' or ')} there.`);
}

/**
 * A folder of the user's own data, for a dataset that no public address gives without an account.
 * @throws NighError NOT_FOUND where NIGH_DATA is not set
 */
export function ownFolder(name: string, context: LoadContext): string {
  const data = dataDirectory(context);
  if (data !== undefined) return join(data, name);
  throw new NighError(
    'NOT_FOUND',
    `${name}: set NIGH_DATA to the directory that holds it, or say where it is with "path"; it is not downloaded.`,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
