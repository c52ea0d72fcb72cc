/**
 *     npm run bench -- insert [dataset] [--seconds 10]
 *
 * Searches a second while rows are being inserted, against the same searches on an idle index, in turns. Searches run on one thread (the
 * calling one) and so does the insertion, on a native one: on two cores neither takes the other's.
 */

import { setImmediate as turn } from 'node:timers/promises';
import { HnswIndex } from 'nigh/index';
import { queryVectors } from '../compare/curves.js';
import { firstRows } from '../datasets/dataset.js';
import { median } from '../measures.js';
import type { BenchOptions } from '../options.js';
import { say } from '../report/say.js';
import { k, loadOne } from './subject.js';

const turns = 5;
const efSearch = 64;

export async function insert(options: BenchOptions): Promise<void> {
  const dataset = await loadOne(options);
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
  const ratios: number[] = [];
  for (let t = 0; t < turns; t++) {
    const until = performance.now() + (options.seconds / turns) * 1000;
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
    const meanwhile = await rate(() => inserted);
    await adding;
    const inserts = insertedPerTurn / ((performance.now() - began) / 1000);
    ratios.push(meanwhile / idle);
    process.stdout.write(
      `idle ${whole(idle)} searches/s, inserting ${whole(meanwhile)} (${(meanwhile / idle).toFixed(2)} ×) at ${whole(inserts)} rows/s\n`,
    );
  }
  index.close();
  process.stdout.write(`searches while inserting: ${median(ratios).toFixed(2)} × of idle, median of ${turns} turns\n`);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
