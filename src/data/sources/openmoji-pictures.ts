import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, NighError } from '../../core/errors.js';
import { addToCache, cacheDirectory } from '../fetch/cache.js';
import { fetchDataset } from '../fetch/locate.js';
import { namedDataset, placeName } from '../fetch/named-datasets.js';
import { fileError } from '../file-error.js';
import type { FetchContext } from '../load-context.js';
import { readEntry, readTarball } from './read-tarball.js';

const hexcodes = /^[0-9A-F]+(?:-[0-9A-F]+)*$/;
const pictureEntry = /^package\/color\/svg\/([0-9A-F]+(?:-[0-9A-F]+)*)\.svg$/;

/**
 * The color picture of an emoji, as the bytes of an SVG file. The first call unpacks all of them, some 4,500 small files, into the
 * cache, in one step that another process sees whole or not at all; later calls read one file.
 * @param hexcode the item's id in the source `openmoji`
 * @throws NighError UNKNOWN_ITEM; as fetchDataset; IO
 */
export async function openmojiPicture(hexcode: string, context: FetchContext = {}): Promise<Buffer> {
  // What is not a hexcode never becomes a path.
  if (!hexcodes.test(hexcode)) throw unknown(hexcode);
  const folder = await pictureFolder(context);
  try {
    return await readFile(join(folder, `${hexcode}.svg`));
  } catch (error) {
    const failure = fileError(join(folder, `${hexcode}.svg`), error);
    throw failure.code === 'NOT_FOUND' ? unknown(hexcode) : failure;
  }
}

/** The folder with all pictures, `<hexcode>.svg`; unpacked if it is not there. */
async function pictureFolder(context: FetchContext): Promise<string> {
  const name = placeName(namedDataset('openmoji')).replace(/\.tgz$/, '-pictures');
  const folder = join(cacheDirectory(context), name);
  if (await stat(folder).catch(() => undefined)) return folder;
  const { path: tarball } = await fetchDataset('openmoji', context);
  return addToCache(context, name, async (temporary) => {
    const made = join(temporary, name);
    await mkdir(made);
    await readTarball(createReadStream(tarball), tarball, context.signal, async (file) => {
      const hexcode = pictureEntry.exec(file.header.name)?.[1];
      if (hexcode !== undefined) await writeFile(join(made, `${hexcode}.svg`), await readEntry(file));
    });
    return made;
  });
}

function unknown(hexcode: string): NighError {
  return new NighError('UNKNOWN_ITEM', `OpenMoji has no picture of ${describe(hexcode)}.`);
}
