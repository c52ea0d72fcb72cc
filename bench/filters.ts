/**
 * Filtered searches of an HnswIndex: recall, microseconds a query and plan at every share of allowed rows, whether these lie
 * anywhere, nearest to the query or farthest from it; beside them the unfiltered query and the exact scan of the allowed.
 *
 *     npm run bench -- filters [dataset …] [--rows n]
 */
import { FlatIndex, HnswIndex, IdSet, type SearchResult } from 'nigh/index';
import { type BenchDataset, loadDataset, rowOf } from './datasets/dataset.js';
import { Random } from './datasets/random.js';
import { findDataset } from './datasets/registry.js';
import { type BenchOptions, defaultDataset } from './options.js';
import { say } from './report/say.js';

const shares = [1, 0.999, 0.99, 0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001, 0.0001, 0.00001];
const places = ['anywhere', 'nearest', 'farthest'] as const;
const k = 10;
const asked = 50;

export async function filters({ datasets, rows }: BenchOptions): Promise<void> {
  for (const wanted of datasets.length === 0 ? [{ name: defaultDataset }] : datasets) {
    const dataset = await loadDataset(await findDataset(wanted), { queries: asked, rows });
    const { base, queries, metric, about } = dataset;
    say(`${about}; ${base.rows.toLocaleString('en')} rows, ${queries.rows} queries, k ${k}, default effort`);
    const flat = await FlatIndex.build(base, { metric });
    const index = await HnswIndex.build(base, { metric });
    const unfiltered: number[] = [];
    for (let round = 0; round < 5; round++) {
      for (let q = 0; q < queries.rows; q++) unfiltered.push(timed(() => index.searchSync(rowOf(queries, q), k)).us);
    }
    say(`unfiltered: ${median(unfiltered).toFixed(0)} µs`);
    say('share    rows lie    recall       µs  scan µs  short  plans');
    const shuffled = shuffledIds(base.rows);
    for (const share of shares) {
      for (const place of share === 1 ? places.slice(0, 1) : places) {
        const count = Math.max(1, Math.round(share * base.rows));
        const ids = (q: number) =>
          place === 'anywhere' ? scattered(shuffled, count, q) : ranked(flat, dataset, q, count, place === 'nearest');
        say(measure(index, flat, dataset, ids, `${share.toString().padEnd(7)}  ${place.padEnd(8)}`));
      }
    }
    flat.close();
    index.close();
  }
}

function measure(
  index: HnswIndex,
  flat: FlatIndex,
  { queries }: BenchDataset,
  idsFor: (q: number) => Uint32Array,
  label: string,
): string {
  const times: number[] = [];
  const scans: number[] = [];
  const plans = new Map<string, number>();
  let hits = 0;
  let wanted = 0;
  let short = 0;
  for (let q = 0; q < queries.rows; q++) {
    const filter = IdSet.allow(idsFor(q));
    const query = rowOf(queries, q);
    const truth = flat.searchSync(query, k, { filter });
    const { us, result } = timed(() => index.searchSync(query, k, { filter }));
    times.push(us);
    scans.push(timed(() => index.searchSync(query, k, { filter, exact: true })).us);
    plans.set(result.stats.plan, (plans.get(result.stats.plan) ?? 0) + 1);
    if (result.ids.length < truth.ids.length) short++;
    wanted += truth.ids.length;
    const bound = truth.distances.at(-1)! + 1e-6;
    hits += result.distances.filter((distance) => distance <= bound).length;
  }
  return [
    label,
    (hits / wanted).toFixed(4).padStart(8),
    median(times).toFixed(0).padStart(7),
    median(scans).toFixed(0).padStart(7),
    short.toString().padStart(5),
    [...plans].map(([plan, n]) => `${plan} ${n}`).join(', '),
  ].join('  ');
}

function timed(search: () => SearchResult): { readonly us: number; readonly result: SearchResult } {
  const began = performance.now();
  const result = search();
  return { us: (performance.now() - began) * 1000, result };
}

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

/** Distinct ids in the order of a fixed shuffle that begins elsewhere for every query. */
function scattered(shuffled: Uint32Array, count: number, q: number): Uint32Array {
  const begin = Math.floor((q + 1) * 0.618034 * shuffled.length);
  return Uint32Array.from({ length: count }, (_, i) => shuffled[(begin + i) % shuffled.length]!);
}

function shuffledIds(rows: number): Uint32Array {
  const random = new Random(9);
  const ids = Uint32Array.from({ length: rows }, (_, id) => id);
  for (let i = rows - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const held = ids[i]!;
    ids[i] = ids[j]!;
    ids[j] = held;
  }
  return ids;
}

function ranked(
  flat: FlatIndex,
  { base, queries }: BenchDataset,
  q: number,
  count: number,
  nearest: boolean,
): Uint32Array {
  const { ids } = flat.searchSync(rowOf(queries, q), base.rows);
  return nearest ? ids.slice(0, count) : ids.slice(base.rows - count);
}
