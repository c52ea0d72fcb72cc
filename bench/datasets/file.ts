import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Matrix, readVectors } from 'nigh';
import { benchCache, digestOf } from '../cache.js';
import { say } from '../report/say.js';
import type { BenchDatasetSource, PeerMetric } from './dataset.js';
import { pickRows, shuffledOrder } from './random.js';

const seed = 20_240_505;
/** Held out as queries of a file that has none: every hundredth row, but so many at least and at most. */
const queryShare = 0.01;
const fewestQueries = 100;
const mostQueries = 10_000;

/** How the files of ann-benchmarks.com end, whose names tell their distance. */
const distances: readonly (readonly [RegExp, PeerMetric])[] = [
  [/-angular\.(hdf5|h5)$/, 'cosine'],
  [/-euclidean\.(hdf5|h5)$/, 'l2'],
  [/-dot\.(hdf5|h5)$/, 'ip'],
];

/** Whether a name is that of a file or an address rather than of a dataset. */
export function isFileOrAddress(name: string): boolean {
  return /^https?:\/\//.test(name) || extname(name) !== '' || name.includes('/');
}

/**
 * Vectors of a file of any kind that `readVectors` reads, or of one at an address, which is downloaded once. HDF5 files of
 * ann-benchmarks.com bring their queries; of others some rows are held out.
 * @throws Error where the metric is not known, or there is no such file
 */
export async function fileDataset(place: string, metric: PeerMetric | undefined): Promise<BenchDatasetSource> {
  const path = /^https?:\/\//.test(place) ? await downloaded(place) : resolve(place);
  const found = metric ?? distances.find(([ending]) => ending.test(path))?.[1];
  if (found === undefined) throw new Error(`${place} does not tell its metric: add --metric l2, ip or cosine.`);
  const { size, mtimeMs } = await stat(path);
  const name = basename(path, extname(path));
  return {
    name: `${name}-${digestOf(path, size, mtimeMs, found).slice(0, 8)}`,
    about: `${basename(path)}, ${found}`,
    metric: found,
    version: 1,
    make: () => (/\.(hdf5|h5)$/.test(path) ? withQueries(path) : heldOut(path)),
  };
}

async function withQueries(path: string) {
  const { matrix: base } = await readVectors(path, { dataset: 'train' });
  const { matrix: queries } = await readVectors(path, { dataset: 'test' });
  return { base: base.data, queries: queries.data, dim: base.dim };
}

async function heldOut(path: string) {
  const { matrix }: { readonly matrix: Matrix } = await readVectors(path);
  const { data, rows, dim } = matrix;
  const count = Math.min(Math.max(Math.round(rows * queryShare), fewestQueries), mostQueries, Math.floor(rows / 2));
  const order = shuffledOrder(rows, seed);
  say(`${basename(path)}: ${count} of ${rows} rows are held out as queries by seed ${seed}`);
  return {
    base: pickRows(data, dim, order.subarray(count)),
    queries: pickRows(data, dim, order.subarray(0, count)),
    dim,
  };
}

async function downloaded(address: string): Promise<string> {
  const folder = createHash('sha256').update(address).digest('hex').slice(0, 16);
  const path = benchCache('downloads', folder, basename(new URL(address).pathname));
  if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  say(`downloading ${address}`);
  const answer = await fetch(address);
  if (!answer.ok || answer.body === null) throw new Error(`${address}: the server answers ${answer.status}.`);
  await mkdir(dirname(path), { recursive: true });
  await pipeline(Readable.fromWeb(answer.body as never), createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
  return path;
}
