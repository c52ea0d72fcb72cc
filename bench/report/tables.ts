/** A comparison for people. */
import { busyFrom } from '../machine.js';
import type { ComparisonResult, EngineResult } from './result.js';
import { decimal, textTable, whole } from './text-table.js';

export function printTables(result: ComparisonResult): void {
  process.stdout.write(`\n${tables(result)}`);
}

export function tables(result: ComparisonResult): string {
  const { dataset, machine, engines, exact, baseline, repeats } = result;
  const parts = [
    `${dataset.name}: ${whole(dataset.rows)} × ${dataset.dim}, ${dataset.metric}, ${whole(dataset.queries)} queries, recall@${result.k}; ` +
      `${machine.cpu}, ${machine.cores} cores, ${machine.simd}, Node ${machine.node}\n`,
    `Queries a second, one at a time on one thread; medians of ${repeats} rounds (least to most)` +
      `${baseline === null ? '' : `; × is to ${baseline} in the same rounds`}\n${speeds(engines)}`,
    `Builds, in a process of their own${marks(engines)}\n${builds(engines)}`,
    `Opening, in a process of its own, the file being in the system's cache\n${openings(engines)}`,
    `One query at a time at the effort nearest to recall .95, microseconds; batches, queries a second\n${latencies(engines)}`,
    askedTable(engines),
    `Exact search (one thread reads ${decimal(exact.readBandwidth / 1e9)} GB/s: at most ${decimal(exact.limit)} scans of the float32 rows a second)\n` +
      textTable(
        ['', 'queries/s', '× bandwidth'],
        exact.speeds.map(({ what, qps }) => [what, decimal(qps), decimal(qps / exact.limit, 2)]),
      ),
  ];
  if (result.othersCores >= busyFrom) {
    parts.push(`Other processes used ${decimal(result.othersCores, 2)} cores meanwhile: trust the ratios only.\n`);
  }
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

function builds(engines: readonly EngineResult[]): string {
  return textTable(
    ['', 'build s', 'threads', 'peak MB', 'bytes/vector', ''],
    engines.flatMap(({ name, build, otherBuilds, bytesPerVector }) =>
      [build, ...otherBuilds].map((record, i) => [
        i === 0 ? name : '',
        `${decimal(record.seconds)}${record.othersCores >= busyFrom ? '*' : ''}`,
        String(record.threads),
        megabytes(record.peakBytes),
        i === 0 ? whole(bytesPerVector) : '',
        i === 0 && build.earlier ? `built earlier, ${build.at.slice(0, 10)}` : '',
      ]),
    ),
  );
}

function marks(engines: readonly EngineResult[]): string {
  const busy = engines.some(({ build, otherBuilds }) =>
    [build, ...otherBuilds].some(({ othersCores }) => othersCores >= busyFrom),
  );
  return busy ? '; * on a busy machine, so slower than it can' : '';
}

function openings(engines: readonly EngineResult[]): string {
  return textTable(
    ['', 'open ms', 'MB', 'MB after 200 queries', 'mapped ms', 'MB', 'MB after 200 queries'],
    engines.map(({ name, opening: { memory, mapped } }) => [
      name,
      ...[memory, mapped].flatMap((answer) =>
        answer === undefined
          ? ['–', '–', '–']
          : [decimal(answer.openMs), megabytes(answer.openBytes), megabytes(answer.searchedBytes)],
      ),
    ]),
  );
}

function latencies(engines: readonly EngineResult[]): string {
  const threads = [...new Set(engines.flatMap(({ latency }) => Object.keys(latency.batchQps)))];
  return textTable(
    [
      '',
      'effort',
      'recall',
      'p50',
      'p95',
      'p99',
      'async +',
      ...threads.map((count) => `batch, ${count} thread${count === '1' ? '' : 's'}`),
    ],
    engines.map(({ name, latency }) => [
      name,
      String(latency.effort),
      decimal(latency.recall, 3),
      decimal(latency.p50),
      decimal(latency.p95),
      decimal(latency.p99),
      decimal(latency.asyncOverhead),
      ...threads.map((count) => whole(latency.batchQps[count])),
    ]),
  );
}

function askedTable(engines: readonly EngineResult[]): string {
  const rows = engines.flatMap(({ name, asked }) =>
    asked.map(({ effort, recall, qps }) => [name, String(effort), decimal(recall, 3), whole(qps.median)]),
  );
  return rows.length === 0
    ? ''
    : `Asked for a recall instead of an effort\n${textTable(['', 'asked', 'found', 'queries/s'], rows)}`;
}

function megabytes(bytes: number): string {
  return whole(bytes / 1e6);
}
