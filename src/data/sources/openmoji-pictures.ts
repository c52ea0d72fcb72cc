import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, NighError } from '../../core/errors.js';
import { addToCache, cacheDirectory } from '../fetch/cache.js';
import { fetchDataset } from '../fetch/locate.js';
import { namedDataset, placeName } from '../fetch/named-datasets.js';
import { fileError } from '../file-error.js';
import type { FetchContext } from '../load-context.js';
import type { PictureSource } from '../picture-source.js';
import { readEntry, readTarball } from './read-tarball.js';

const hexcodes = /^[0-9A-F]+(?:-[0-9A-F]+)*$/;
/** Small files are written some seven times as fast like this as one after another. */
const writesAtOnce = 64;

const pictureEntry = /^package\/color\/svg\/([0-9A-F]+(?:-[0-9A-F]+)*)\.svg$/;

/** Unpacking serves every caller that waits for it, so none can abort it. */
export type PictureContext = Omit<FetchContext, 'signal'>;

/**
 * The color picture of an emoji, as the bytes of an SVG file. The first call unpacks all of them, some 4,500 small files, into the
 * cache, in one step that another process sees whole or not at all; later calls read one file.
 * @param hexcode the item's id in the source `openmoji`
 * @throws NighError UNKNOWN_ITEM; as fetchDataset; IO
 */
export async function openmojiPicture(hexcode: string, context: PictureContext = {}): Promise<Buffer> {
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

/** The color pictures of the dataset's emoji. */
export function openmojiPictures({ environment }: PictureContext = {}): PictureSource {
  const context = environment === undefined ? {} : { environment };
  return { read: (hexcode) => openmojiPicture(hexcode, context) };
}

/** Unpackings under way by folder: calls that come at the same time wait for one. */
const unpacking = new Map<string, Promise<string>>();

/** The folder with all pictures, `<hexcode>.svg`; unpacked if it is not there. */
async function pictureFolder(context: PictureContext): Promise<string> {
  const name = placeName(namedDataset('openmoji')).replace(/\.tgz$/, '-pictures');
  const folder = join(cacheDirectory(context), name);
  const underWay = unpacking.get(folder);
  if (underWay !== undefined) return underWay;
  if (await stat(folder).catch(() => undefined)) return folder;
  const unpacked = unpacking.get(folder) ?? unpack(name, context).finally(() => unpacking.delete(folder));
  unpacking.set(folder, unpacked);
  return unpacked;
}

async function unpack(name: string, context: PictureContext): Promise<string> {
  const { path: tarball } = await fetchDataset('openmoji', context);
  return addToCache(context, name, async (temporary) => {
    const made = join(temporary, name);
    await mkdir(made);
    let batch: { file: string; bytes: Buffer }[] = [];
    const flush = async () => {
      await Promise.all(batch.map(({ file, bytes }) => writeFile(join(made, file), bytes)));
      batch = [];
    };
    await readTarball(createReadStream(tarball), tarball, undefined, async (file) => {
      const hexcode = pictureEntry.exec(file.header.name)?.[1];
      if (hexcode !== undefined) batch.push({ file: `${hexcode}.svg`, bytes: await readEntry(file) });
      if (batch.length === writesAtOnce) await flush();
    });
    await flush();
    return made;
  });
}

function unknown(hexcode: string): NighError {
  return new NighError('UNKNOWN_ITEM', `OpenMoji has no picture of ${describe(hexcode)}.`);
}
