import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';

/** A file of a tarball; iterate over it for its bytes. */
export interface TarEntry extends AsyncIterable<Uint8Array> {
  readonly header: { readonly name: string; readonly type: string; readonly size: number };
}

const chunkBytes = 1 << 18;

/**
 * Calls `visit` with the files of a gzipped tarball one after another, as streams: nothing is unpacked to disk. A file that `visit`
 * leaves unread is skipped. Names are given as they stand in the archive: never use one as a path.
 * @param archive the bytes; a file entry of another tarball will do
 * @param name what to call the archive in messages
 * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, ABORTED, and whatever `visit` throws
 */
export async function readTarball(
  archive: AsyncIterable<Uint8Array>,
  name: string,
  signal: AbortSignal | undefined,
  visit: (entry: TarEntry) => Promise<void>,
): Promise<void> {
  const entries = extract();
  // Whoever reads the entries gets the error of any stage; the callback has nothing to add.
  pipeline(archive, createGunzip({ chunkSize: chunkBytes }), entries as unknown as NodeJS.WritableStream, () => {});
  try {
    for await (const entry of entries) {
      throwIfAborted(signal);
      if (entry.header.type === 'file') await visit(entry as unknown as TarEntry);
      entry.resume();
    }
  } catch (error) {
    throw tarError(name, error);
  }
}

/** All bytes of an entry. */
export async function readEntry(entry: TarEntry): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) chunks.push(chunk);
  return Buffer.concat(chunks, entry.header.size);
}

/** tar-stream throws plain errors: without a code they are about the format. */
function tarError(name: string, error: unknown): NighError {
  if (!(error instanceof Error) || error instanceof NighError || 'code' in error) return fileError(name, error);
  const code = /unexpected end/i.test(error.message) ? 'TRUNCATED' : 'FORMAT';
  return new NighError(code, `${name}: the tarball cannot be read: ${error.message}.`, { cause: error });
}
