/**
 *     npm run bench -- insert [dataset] [--seconds 10]
 *
 * Searches a second while rows are being inserted, against the same searches on an idle index, in turns. Searches run on one thread (the
 * calling one) and so does the insertion, on a native one: on two cores neither takes the other's.
 */

import { setImmediate as turn } from 'node:timers/promises';
import { median } from 'nigh/evaluation';
import { HnswIndex } from 'nigh/index';
import { type BenchDataset, firstRows, queryVectors } from '../datasets/dataset.js';
import type { BenchOptions } from '../options.js';
import { say } from '../report/say.js';
import { k, loadOne } from './subject.js';

const turns = 5;
const efSearch = 64;

export interface Writing {
  /** Searches a second, a turn. */
  readonly idleQps: number[];
  readonly writingQps: number[];
  readonly ratio: number[];
  readonly insertsPerSecond: number[];
}

export async function insert(options: BenchOptions): Promise<void> {
  const dataset = await loadOne(options);
  const { idleQps, writingQps, ratio, insertsPerSecond } = await measureWriting(dataset, options.seconds);
  ratio.forEach((value, t) => {
    process.stdout.write(
      `idle ${whole(idleQps[t]!)} searches/s, inserting ${whole(writingQps[t]!)} (${value.toFixed(2)} ×) at ${whole(insertsPerSecond[t]!)} rows/s\n`,
    );
  });
  process.stdout.write(`searches while inserting: ${median(ratio).toFixed(2)} × of idle, median of ${turns} turns\n`);
}

/** @param seconds of searching an idle index, in all turns together */
export async function measureWriting(dataset: BenchDataset, seconds: number): Promise<Writing> {
  const { base, metric } = dataset;
  const half = firstRows(base, Math.floor(base.rows / 2));
  say(`building over ${half.rows} rows; the others are inserted`);
  const index = await HnswIndex.build(half, { metric });
  const vectors = queryVectors(dataset);
  const insertedPerTurn = Math.floor((base.rows - half.rows) / turns);
  let asked = 0;
  /** Searches a second until `over`, a look at the event loop after every hundred. */
  const rate = async (over: () => boolean) => {
    const began = performance.now();
    let count = 0;
    while (!over()) {
      for (let i = 0; i < 100; i++) index.searchSync(vectors[asked++ % vectors.length]!, k, { efSearch });
      count += 100;
      await turn();
    }
    return count / ((performance.now() - began) / 1000);
  };
  const found: Writing = { idleQps: [], writingQps: [], ratio: [], insertsPerSecond: [] };
  for (let t = 0; t < turns; t++) {
    const until = performance.now() + (seconds / turns) * 1000;
    const idle = await rate(() => performance.now() >= until);
    const from = half.rows + t * insertedPerTurn;
    const rows = {
      data: base.data.subarray(from * base.dim, (from + insertedPerTurn) * base.dim),
      rows: insertedPerTurn,
      dim: base.dim,
    };
    let inserted = false;
    const began = performance.now();
    const ids = Uint32Array.from({ length: insertedPerTurn }, (_, i) => from + i);
    const adding = index.add(rows, ids, { threads: 1 }).finally(() => {
      inserted = true;
    });
    const writing = await rate(() => inserted);
    await adding;
    found.insertsPerSecond.push(insertedPerTurn / ((performance.now() - began) / 1000));
    found.idleQps.push(idle);
    found.writingQps.push(writing);
    found.ratio.push(writing / idle);
  }
  index.close();
  return found;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
