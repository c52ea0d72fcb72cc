/**
 * The neighbours of a whole collection, as `nigh neighbors` writes them, beside a loop over hnswlib-node.
 *
 *     npm run bench -- neighbors [directory of a collection] [--queries n] [--repeats n] [--json file]
 *
 * Every pass is a process of its own, so that its peak memory is its own; passes take turns. Recall is of the first space, against the exact pass. The
 * loop over hnswlib-node searches the same vectors for `queries` of the items, with the least pool that reaches the recall of our pass.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import hnswlib from 'hnswlib-node';
import { buildCollection, loadRecipe, openIndex, Retriever } from 'nigh';
import { median } from 'nigh/evaluation';
import type { PassResult } from './neighbors-pass.js';
import type { BenchOptions } from './options.js';
import { say } from './report/say.js';
import { decimal, textTable, whole } from './report/text-table.js';

const npmPackages = join(dirname(fileURLToPath(import.meta.url)), '../../indexes/npm-packages');
const passScript = fileURLToPath(new URL('./neighbors-pass.js', import.meta.url));
const k = 50;
/** In the place of an item where a row has no more. */
const none = 0xffffffff;
const hnswlibM = 16;
const hnswlibEfConstruction = 200;
const pools = [51, 64, 80, 100, 128, 160, 200, 256, 320, 400, 512, 800, 1200, 2000];

const passes = [
  ['approximate, npy', 'approximate.npy', {}],
  ['approximate, parquet', 'approximate.parquet', {}],
  ['approximate, jsonl', 'approximate.jsonl', {}],
  ['recall .99, npy', 'recall.npy', { recall: 0.99 }],
  ['exact, npy', 'exact.npy', { exact: true }],
] as const;

export async function neighbors({ collection, queries, repeats, json }: BenchOptions): Promise<void> {
  const directory = collection ?? npmPackages;
  if (collection === undefined && !existsSync(join(directory, 'CURRENT'))) {
    say(`Building ${directory} …`);
    await buildCollection(await loadRecipe(join(directory, 'recipe.json')), directory);
  }
  const info = await infoOf(directory);
  const [space] = info.spaces;
  if (space === undefined) throw new Error(`${directory} has no space.`);
  say(`${info.name}: ${whole(info.items)} items × top ${k}; space ${space.name}, ${space.dim} dimensions`);
  const folder = await mkdtemp(join(tmpdir(), 'nigh-bench-neighbors-'));
  try {
    const results = new Map<string, PassResult[]>(passes.map(([name]) => [name, []]));
    for (let round = 0; round < repeats; round++) {
      for (const [name, file, options] of passes) {
        results.get(name)!.push(run(directory, join(folder, file), { k, space: space.name, ...options }));
      }
    }
    const exact = await numbersOf(join(folder, 'exact.npy'));
    const rows: string[][] = [];
    const figures: object[] = [];
    const recalls = new Map<string, number>();
    for (const [name, file] of passes) {
      const all = results.get(name)!;
      const found = await numbersOf(join(folder, file.replace(/^approximate\..*/, 'approximate.npy')));
      // Items without a vector in the space have no neighbours, and cost next to nothing.
      const count = found.rows.filter((_, r) => found.ids[r * k] !== none).length;
      const rate = median(all.map(({ seconds }) => count / seconds));
      const recall = recallOf(exact, found);
      recalls.set(name, recall);
      const peak = Math.max(...all.map(({ peakBytes }) => peakBytes));
      const opened = Math.max(...all.map(({ openedBytes }) => openedBytes));
      rows.push([name, whole(rate), decimal(recall, 4), whole(peak / 1e6), whole((peak - opened) / 1e6)]);
      figures.push({ name, rowsPerSecond: rate, recall, peakBytes: peak, openedBytes: opened });
      say(`${name}: ${whole(rate)} rows/s, recall ${decimal(recall, 4)}`);
    }
    const ours = figures[0] as { rowsPerSecond: number };
    const loop = await hnswlibLoop(directory, info.generation, space.name, exact, queries, recalls.get(passes[0][0])!);
    rows.push([`hnswlib-node, one by one, pool ${loop.pool}`, whole(loop.rate), decimal(loop.recall, 4), '–', '–']);
    process.stdout.write(textTable(['pass', 'rows/s', `recall@${k}`, 'peak MB', 'MB over the open collection'], rows));
    say(`approximate, npy beside hnswlib-node: ${decimal(ours.rowsPerSecond / loop.rate, 1)} times the rows a second`);
    if (json !== undefined) {
      const text = JSON.stringify({ collection: info, k, figures, hnswlib: loop }, null, 2);
      await writeFile(json, `${text}\n`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function infoOf(directory: string) {
  const retriever = await Retriever.open(directory);
  await retriever.close();
  return retriever.info;
}

function run(directory: string, path: string, options: object): PassResult {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [passScript, directory, path, JSON.stringify(options)],
    { encoding: 'utf8', maxBuffer: 1 << 24 },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as PassResult;
}

interface Numbers {
  readonly ids: Uint32Array;
  /** The number of each row among all items. */
  readonly rows: Uint32Array;
}

/** The matrix of a pass, and whose rows they are. */
async function numbersOf(path: string): Promise<Numbers> {
  const file = await readFile(path);
  const begin = 10 + file.readUInt16LE(8);
  const ids = new Uint32Array(file.buffer.slice(file.byteOffset + begin, file.byteOffset + file.length));
  const lines = async (what: string) =>
    (await readFile(path.replace('.npy', `.${what}.txt`), 'utf8')).split('\n').slice(0, -1);
  const numbers = new Map((await lines('items')).map((id, number) => [id, number]));
  return { ids, rows: Uint32Array.from(await lines('ids'), (id) => numbers.get(id)!) };
}

function recallOf(exact: Numbers, found: Numbers): number {
  let hits = 0;
  let all = 0;
  for (let r = 0; r < exact.rows.length; r++) {
    const row = found.ids.subarray(r * k, (r + 1) * k);
    for (const id of exact.ids.subarray(r * k, (r + 1) * k)) {
      if (id === none) break;
      all++;
      if (row.includes(id)) hits++;
    }
  }
  return hits / all;
}

async function hnswlibLoop(
  directory: string,
  generation: string,
  space: string,
  exact: Numbers,
  queries: number,
  wanted: number,
): Promise<{ pool: number; rate: number; recall: number; buildSeconds: number }> {
  const ours = await openIndex(join(directory, generation, `${space}.ann`), { mode: 'mmap' });
  const peer = new hnswlib.HierarchicalNSW(ours.metric === 'cosine' ? 'cosine' : 'ip', ours.dim);
  peer.initIndex(ours.size, hnswlibM, hnswlibEfConstruction, 42);
  say(`Building an index of hnswlib-node over the same vectors …`);
  const began = performance.now();
  for (const item of exact.rows) {
    const vector = ours.vector(item);
    if (vector !== undefined) peer.addPoint(Array.from(vector as Float32Array), item);
  }
  const buildSeconds = (performance.now() - began) / 1000;
  const step = Math.max(1, Math.floor(exact.rows.length / queries));
  const asked = Array.from({ length: Math.min(queries, exact.rows.length) }, (_, i) => i * step).filter(
    (r) => ours.vector(exact.rows[r]!) !== undefined,
  );
  for (const pool of pools) {
    peer.setEf(pool);
    let hits = 0;
    let all = 0;
    const from = performance.now();
    const found = asked.map((r) => {
      const item = exact.rows[r]!;
      const { neighbors: ids } = peer.searchKnn(Array.from(ours.vector(item) as Float32Array), k + 1);
      return ids.filter((id) => id !== item).slice(0, k);
    });
    const rate = asked.length / ((performance.now() - from) / 1000);
    for (const [at, r] of asked.entries()) {
      for (const id of exact.ids.subarray(r * k, (r + 1) * k)) {
        all++;
        if (found[at]!.includes(id)) hits++;
      }
    }
    if (hits / all < wanted && pool !== pools.at(-1)) continue;
    ours.close();
    return { pool, rate, recall: hits / all, buildSeconds };
  }
  throw new Error('There are no pools.');
}
