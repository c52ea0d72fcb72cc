/** A comparison for people. */
import { type BenchmarkResult, type DatasetResult, type EngineResult, median } from 'nigh/evaluation';
import { busyFrom } from '../machine.js';
import { decimal, textTable, whole } from './text-table.js';

export function tables({ machine, k }: BenchmarkResult, result: DatasetResult): string {
  const { dataset, engines, exact, changes, repeats } = result;
  const baseline = engines.find(({ key }) => key === result.baseline)?.name;
  const parts = [
    `${dataset.name}: ${whole(dataset.rows)} × ${dataset.dim}, ${dataset.metric}, ${whole(dataset.queries)} queries, recall@${k}; ` +
      `${machine.cpu}, ${machine.cores} cores, ${machine.simd}, Node ${machine.node}\n`,
    `Queries a second, one at a time on one thread; medians of ${repeats} rounds (least to most)` +
      `${baseline === undefined ? '' : `; × is to ${baseline} in the same rounds`}\n${speeds(engines)}`,
    `One query at a time at the effort nearest to recall .95, microseconds; batches, queries a second\n${nearest(engines)}`,
    `Builds, in a process of their own${marks(engines)}\n${builds(engines)}`,
    `Opening in a process of its own, milliseconds: the file in the system's cache, and from the disk; bytes a vector after 200 queries\n${openings(engines, dataset.rows)}`,
    askedTable(engines),
    filteredTable(engines),
  ];
  if (exact !== null) {
    parts.push(
      `Exact search (one thread reads ${decimal(exact.readBandwidth / 1e9)} GB/s: at most ${decimal(exact.limit)} scans of the float32 rows a second)\n` +
        textTable(
          ['', 'queries/s', '× bandwidth'],
          exact.speeds.map(({ what, qps }) => [what, decimal(qps), decimal(qps / exact.limit, 2)]),
        ),
    );
  }
  if (changes !== null) {
    parts.push(
      `Changes of ${whole(changes.rows)} rows: searches while inserting ${decimal(median(changes.writing.ratio), 2)} × of idle, ` +
        `at ${whole(median(changes.writing.insertsPerSecond))} rows/s on one thread; half deleted and put in again:\n` +
        textTable(
          ['efSearch', 'fresh', 'refilled', 'difference'],
          changes.refilled.map(({ effort, fresh, refilled }) => [
            String(effort),
            decimal(fresh, 4),
            decimal(refilled, 4),
            decimal(refilled - fresh, 4),
          ]),
        ),
    );
  }
  if (result.othersCores >= busyFrom) {
    parts.push(`Other processes used ${decimal(result.othersCores, 2)} cores meanwhile: trust the ratios only.\n`);
  }
  for (const { key, why } of result.leftOut ?? []) parts.push(`${key} is left out: ${why}\n`);
  return parts.filter((part) => part !== '').join('\n');
}

function speeds(engines: readonly EngineResult[]): string {
  const recalls = engines[0]?.atRecall.map(({ recall }) => recall) ?? [];
  return textTable(
    ['', ...recalls.flatMap((recall) => [`at ${recall}`, '(spread)', '×', '(spread)'])],
    engines.map(({ name, atRecall }) => [
      name,
      ...atRecall.flatMap(({ qps, ratio }) => [
        whole(qps?.median),
        qps === null ? '' : `(${whole(qps.min)}–${whole(qps.max)})`,
        decimal(ratio?.median, 2),
        ratio === null ? '' : `(${decimal(ratio.min, 2)}–${decimal(ratio.max, 2)})`,
      ]),
    ]),
  );
}

function nearest(engines: readonly EngineResult[]): string {
  const threads = [...new Set(engines.flatMap((engine) => engine.nearest.batch.map((each) => each.threads)))].sort();
  return textTable(
    [
      ...['', 'effort', 'recall@1', '@10', '@100', 'p50', 'p95', 'p99', 'p99.9', 'async +', 'distances'],
      ...threads.map((count) => `batch, ${count} thread${count === 1 ? '' : 's'}`),
    ],
    engines.map(({ name, curve, nearest: { effort, asyncOverheadMicros, batch } }) => {
      const point = curve.find((each) => each.effort === effort)!;
      return [
        name,
        String(effort),
        decimal(point.recall1, 3),
        decimal(point.recall, 3),
        decimal(point.recall100, 3),
        decimal(point.p50),
        decimal(point.p95),
        decimal(point.p99),
        decimal(point.p999),
        decimal(asyncOverheadMicros),
        whole(point.distances),
        ...threads.map((count) => {
          const rounds = batch.find((each) => each.threads === count)?.rounds;
          return whole(rounds && median(rounds));
        }),
      ];
    }),
  );
}

function builds(engines: readonly EngineResult[]): string {
  return textTable(
    ['', 'build s', 'CPU-s', 'threads', 'peak MB', 'bytes/vector', ''],
    engines.flatMap(({ name, builds: records, bytesPerVector }) =>
      records.map((record, i) => [
        i === 0 ? name : '',
        `${decimal(record.seconds)}${record.othersCores >= busyFrom ? '*' : ''}`,
        decimal(record.cpuSeconds),
        String(record.threads),
        megabytes(record.peakBytes),
        i === 0 ? whole(bytesPerVector) : '',
        record.earlier ? `built earlier, ${record.at.slice(0, 16)}` : '',
      ]),
    ),
  );
}

function marks(engines: readonly EngineResult[]): string {
  const busy = engines.some(({ builds: records }) => records.some(({ othersCores }) => othersCores >= busyFrom));
  return busy ? '; * on a busy machine, so slower than it can' : '';
}

function openings(engines: readonly EngineResult[], rows: number): string {
  return textTable(
    ['', ...['memory', 'mapped'].flatMap((mode) => [mode, 'from disk', 'first query', 'bytes/vector'])],
    engines.map(({ name, opening, coldOpening }) => [
      name,
      ...(['memory', 'mapped'] as const).flatMap((mode) => {
        const [warm, cold] = [opening[mode], coldOpening[mode]];
        return [
          decimal(warm?.openMs),
          decimal(cold?.openMs),
          decimal(cold?.firstQueryMs, 2),
          whole(warm && warm.searchedBytes / rows),
        ];
      }),
    ]),
  );
}

function askedTable(engines: readonly EngineResult[]): string {
  const rows = engines.flatMap(({ name, asked }) =>
    asked.map(({ wanted, recall, rounds }) => [name, String(wanted), decimal(recall, 3), whole(median(rounds))]),
  );
  return rows.length === 0
    ? ''
    : `Asked for a recall instead of an effort\n${textTable(['', 'asked', 'found', 'queries/s'], rows)}`;
}

function filteredTable(engines: readonly EngineResult[]): string {
  const rows = engines.flatMap(({ name, filtered }) =>
    filtered.map(({ share, recall, short, p50, p99 }) => [
      name,
      String(share),
      decimal(recall, 3),
      String(short),
      decimal(p50),
      decimal(p99),
    ]),
  );
  return rows.length === 0
    ? ''
    : `Among a share of the rows, at the effort nearest to .95 without a filter; microseconds\n${textTable(['', 'share', 'recall', 'too short', 'p50', 'p99'], rows)}`;
}

function megabytes(bytes: number): string {
  return whole(bytes / 1e6);
}
