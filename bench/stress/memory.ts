/**
 *     npm run bench -- memory [dataset] [--searches 1000000]
 *
 * Resident memory over many searches of each kind. The first tenth of each kind is for caches and the collector to fill; what grows after
 * it is reported.
 */
import { IdSet } from 'nigh/index';
import { queryVectors } from '../datasets/dataset.js';
import { residentBytes } from '../machine.js';
import { type BenchOptions, UsageError } from '../options.js';
import { buildOurs, k, loadOne } from './subject.js';

const steps = 10;
const batchRows = 100;

export async function memory(options: BenchOptions): Promise<void> {
  if (globalThis.gc === undefined) throw new UsageError('memory needs node --expose-gc, as npm run bench starts it');
  const dataset = await loadOne(options);
  const index = await buildOurs(dataset);
  const vectors = queryVectors(dataset);
  const { rows, dim } = dataset.base;
  const batch = { data: dataset.queries.data.slice(0, batchRows * dim), rows: 0, dim };
  batch.rows = batch.data.length / dim;
  const filters = [2, 100].map((step) =>
    IdSet.allow(Array.from({ length: Math.ceil(rows / step) }, (_, i) => i * step)),
  );
  const kinds: { name: string; once: number; search: (i: number) => unknown }[] = [
    { name: 'searchSync', once: 1, search: (i) => index.searchSync(vectors[i % vectors.length]!, k) },
    { name: 'search', once: 1, search: (i) => index.search(vectors[i % vectors.length]!, k) },
    { name: 'searchBatch', once: batch.rows, search: () => index.searchBatch(batch, k) },
    {
      name: 'searchSync with filters',
      once: 1,
      search: (i) => index.searchSync(vectors[i % vectors.length]!, k, { filter: filters[i % filters.length] }),
    },
  ];
  for (const { name, once, search } of kinds) {
    const seen: number[] = [];
    const perStep = Math.max(1, Math.round(options.searches / steps / once));
    for (let step = 0; step < steps; step++) {
      for (let i = 0; i < perStep; i++) await search(step * perStep + i);
      globalThis.gc();
      seen.push(residentBytes());
      const done = ((step + 1) * perStep * once).toLocaleString('en');
      process.stdout.write(`${name}: ${done.padStart(12)} searches, ${megabytes(seen.at(-1)!)} MB\n`);
    }
    const growth = seen.at(-1)! - seen[0]!;
    const searches = ((steps - 1) * perStep * once).toLocaleString('en');
    process.stdout.write(`${name}: growth ${megabytes(growth)} MB over the last ${searches} searches\n`);
  }
  index.close();
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
