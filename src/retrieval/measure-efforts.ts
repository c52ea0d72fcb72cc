/**
 * What effort buys: recall and time of a space's index at several pool sizes, on items drawn from it, for people to look at. Every figure is one
 * native call of all questions on one thread, off the event loop.
 */
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { BatchOptions, BatchResult } from '../index/vector-index.js';
import type { Collection } from './collection.js';
import { distancesOf, rowRecall } from './measure-recall.js';
import { sampleRows } from './sample-rows.js';
import type { Space } from './space.js';
import type { Effort, Efforts } from './types.js';

const k = 10;
const questions = 100;
const poolSizes = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];
/** Each is asked so often, in turns, and the shortest time counts: what is longer is what else the machine did. */
const rounds = 3;

/** One a space, measured when it is first looked at. */
const measured = new WeakMap<Space, Promise<Efforts>>();

/** @throws NighError UNSUPPORTED for an index that compares everything anyway, EMPTY_DATASET, CLOSED */
export function measureEfforts(collection: Collection, space: Space): Promise<Efforts> {
  const known = measured.get(space);
  if (known !== undefined) return known;
  const efforts = measure(collection, space);
  measured.set(space, efforts);
  efforts.catch(() => measured.delete(space));
  return efforts;
}

async function measure({ catalogue }: Collection, space: Space): Promise<Efforts> {
  const index = space.similar;
  if (index.kind !== 'hnsw') {
    throw new NighError('UNSUPPORTED', `The index of the space ${space.name} is ${index.kind}: it has one effort.`);
  }
  const { ordinals, matrix } = await drawn(space, catalogue.size);
  const ask = async (options: BatchOptions) => {
    const began = performance.now();
    // The item itself is the nearest, and is no neighbour.
    const found = await index.searchBatch(matrix, k + 1, { ...options, threads: 1 });
    return { found, micros: ((performance.now() - began) * 1000) / matrix.rows };
  };
  const truth = await ask({ exact: true });
  const points = new Map<number, Effort>();
  for (let round = 0; round < rounds; round++) {
    for (const efSearch of poolSizes) {
      const { found, micros } = await ask({ efSearch: Math.max(efSearch, k + 1) });
      points.set(efSearch, {
        efSearch,
        recall: recallOf(truth.found, found, ordinals),
        visited: found.stats.visited / matrix.rows,
        micros: Math.min(micros, points.get(efSearch)?.micros ?? Number.POSITIVE_INFINITY),
      });
    }
  }
  return {
    space: space.name,
    k,
    queries: matrix.rows,
    exactMicros: truth.micros,
    ...(space.efSearch === undefined ? {} : { efSearch: space.efSearch }),
    efforts: [...points.values()],
  };
}

function recallOf(truth: BatchResult, found: BatchResult, ordinals: Uint32Array): number {
  let sum = 0;
  ordinals.forEach((own, r) => {
    sum += rowRecall(distancesOf(truth, r, k + 1, own), distancesOf(found, r, k + 1, own), k);
  });
  return sum / ordinals.length;
}

/** Items with a vector, the same ones every time. */
async function drawn(space: Space, items: number): Promise<{ ordinals: Uint32Array; matrix: Matrix }> {
  const { dim } = space.similar;
  const ordinals: number[] = [];
  const rows: Float32Array[] = [];
  // Where few have a vector, more are drawn.
  for (const ordinal of sampleRows(items, 16 * questions, 1)) {
    const vector = await space.itemVector(ordinal);
    if (vector === undefined) continue;
    ordinals.push(ordinal);
    rows.push(vector);
  }
  if (rows.length === 0) throw new NighError('EMPTY_DATASET', `The space ${space.name} has no items to ask for.`);
  const chosen = sampleRows(rows.length, questions, 2);
  const data = new Float32Array(chosen.length * dim);
  chosen.forEach((row, r) => {
    data.set(rows[row]!, r * dim);
  });
  return { ordinals: chosen.map((row) => ordinals[row]!), matrix: { data, rows: chosen.length, dim } };
}
