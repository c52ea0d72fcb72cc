import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type Entry, open, type ZipFile } from 'yauzl';
import { throwIfAborted } from '../../core/abort.js';
import { NighError, reasonOf } from '../../core/errors.js';

/**
 * Extracts some files of one folder of a zip archive into a directory. Every name in the archive is checked (no absolute paths, no
 * `..`, no backslashes), also those of files that are left out; what is written is named by the caller, never by the archive.
 * @param folder the folder inside the archive; empty for its top
 * @param files names of the files in it
 * @throws NighError FORMAT for a damaged archive, a bad name or a file that is missing; IO; ABORTED
 */
export async function unzipFiles(
  archive: string,
  folder: string,
  files: readonly string[],
  destination: string,
  signal?: AbortSignal,
): Promise<void> {
  const wanted = new Map(files.map((file) => [folder === '' ? file : `${folder}/${file}`, join(destination, file)]));
  await mkdir(destination, { recursive: true });
  const zip = await promisify<string, object, ZipFile>(open)(archive, { lazyEntries: true, autoClose: false }).catch(
    (error: unknown) => {
      throw damaged(error);
    },
  );
  try {
    for await (const entry of entries(zip)) {
      throwIfAborted(signal);
      const target = wanted.get(entry.fileName);
      if (target === undefined) continue;
      wanted.delete(entry.fileName);
      const content = await promisify<Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip))(entry);
      await pipeline(content, createWriteStream(target), signal === undefined ? {} : { signal });
    }
  } catch (error) {
    throwIfAborted(signal);
    throw error instanceof NighError ? error : damaged(error);
  } finally {
    zip.close();
  }
  const missing = [...wanted.keys()];
  if (missing.length > 0) throw new NighError('FORMAT', `The archive lacks ${missing.join(', ')}.`);
}

function damaged(error: unknown): NighError {
  return new NighError('FORMAT', `The archive cannot be read: ${reasonOf(error)}.`, { cause: error });
}

/** The entries one after another: the next is read when the loop asks for it. */
async function* entries(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const settle = (action: () => void) => {
        zip.removeAllListeners('entry').removeAllListeners('end').removeAllListeners('error');
        action();
      };
      zip.once('entry', (found: Entry) => settle(() => resolve(found)));
      zip.once('end', () => settle(() => resolve(undefined)));
      zip.once('error', (error: unknown) => settle(() => reject(error)));
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}
