/**
 * What the benchmark suite writes and `nigh bench compare` reads: one JSON document a run. The schema is the documentation of the format;
 * bench/result.schema.json is made of it.
 */
import { type Static, type TSchema, Type } from 'typebox';

const text = (description?: string) => Type.String(description === undefined ? {} : { description });
const figure = (description: string) => Type.Number({ description });
/** A figure that may not be had: JSON has no NaN. */
const figureOrNone = (description: string) => Type.Union([Type.Number(), Type.Null()], { description });
const list = <Item extends TSchema>(item: Item, description: string) => Type.Array(item, { description });

const rounds = list(Type.Number(), 'queries a second of every round, in the order of the rounds');

const spread = Type.Object({ median: Type.Number(), min: Type.Number(), max: Type.Number() });

const build = Type.Object({
  threads: figure('threads that the build was given; engines that build on one have one record'),
  seconds: figure('of the build alone, without loading the rows and saving the index'),
  cpuSeconds: Type.Optional(
    figureOrNone(
      'of the processor in that time, user and system, on all threads; null where another process builds or it was not measured',
    ),
  ),
  peakBytes: figure('most resident memory during the build, above what the process held with the rows'),
  fileBytes: figure('of the saved index'),
  othersCores: figure('cores that other processes used meanwhile, on average'),
  at: text('when it was built, ISO 8601'),
  earlier: Type.Boolean({ description: 'whether it comes from an earlier run' }),
});

const opening = Type.Object({
  openMs: figureOrNone('milliseconds until the index can be asked; null where the files could not be forgotten'),
  firstQueryMs: figure('milliseconds of the first query after it'),
  openBytes: figure('resident memory above what the process held before'),
  searchedBytes: figure('the same after 200 queries'),
});

const point = Type.Object({
  effort: figure('what the engine was told, in its own word'),
  recall1: figure('recall@1 of the answers of k'),
  recall: figure('recall@k'),
  recall100: figureOrNone('recall@100 of answers of 100 at the same effort; null where it was not measured'),
  visited: figureOrNone('rows that a query reaches, on average; null where the engine does not tell'),
  distances: figureOrNone('distances that a query computes, on average; null where the engine does not tell'),
  p50: figure('microseconds of one query, over the queries of all rounds'),
  p95: figure('microseconds'),
  p99: figure('microseconds'),
  p999: figure('microseconds'),
  rounds,
});

const asked = Type.Object({
  wanted: figure('recall that the search asked for instead of an effort'),
  recall: figure('recall@k that it had'),
  rounds,
});

const filtered = Type.Object({
  share: figure('of the rows that are allowed, drawn by a seed'),
  recall: figure('recall@k among the allowed'),
  short: figure('queries that had fewer than min(k, allowed) answers'),
  p50: figure('microseconds'),
  p99: figure('microseconds'),
});

const engine = Type.Object({
  key: text('in the grid'),
  name: text(),
  engine: text(),
  version: text(),
  parameters: text(),
  ours: Type.Boolean(),
  effort: Type.Union([Type.String(), Type.Null()], { description: "the engine's own word for it" }),
  builds: list(build, 'the index that was searched first'),
  bytesPerVector: figure('of the file'),
  memoryPerVector: figureOrNone('resident bytes of the index in memory after 200 queries, a vector'),
  opening: Type.Object(
    { memory: Type.Optional(opening), mapped: Type.Optional(opening) },
    { description: "the files being in the system's cache" },
  ),
  coldOpening: Type.Object(
    { memory: Type.Optional(opening), mapped: Type.Optional(opening) },
    { description: 'the files coming from the disk' },
  ),
  curve: list(point, 'ascending by effort'),
  asked: list(asked, 'where the engine takes a recall'),
  atRecall: list(
    Type.Object({
      recall: Type.Number(),
      qps: Type.Union([spread, Type.Null()]),
      ratio: Type.Union([spread, Type.Null()], { description: 'to the baseline, round by round' }),
    }),
    'read off the curve of every round, log-linear between two efforts; null where it is not reached',
  ),
  nearest: Type.Object(
    {
      effort: Type.Number(),
      recall: Type.Number(),
      asyncOverheadMicros: figureOrNone('median of an asynchronous search less that of a synchronous one'),
      batch: list(Type.Object({ threads: Type.Number(), rounds }), 'all queries in one call'),
    },
    { description: 'at the effort whose recall is nearest to .95' },
  ),
  filtered: list(filtered, 'at the same effort; empty where the engine cannot filter or it was not asked'),
});

const changes = Type.Object({
  rows: figure('of the dataset that took part'),
  writing: Type.Object({
    idleQps: rounds,
    writingQps: rounds,
    ratio: list(Type.Number(), 'searches a second while half of the rows are inserted, against idle, turn by turn'),
    insertsPerSecond: list(Type.Number(), 'on one thread'),
  }),
  refilled: list(
    Type.Object({ effort: Type.Number(), fresh: Type.Number(), refilled: Type.Number() }),
    'recall@k of a fresh index and of one of which half of the rows were deleted and put in again',
  ),
});

const dataset = Type.Object({
  dataset: Type.Object({
    name: text(),
    about: text(),
    metric: text(),
    rows: Type.Number(),
    dim: Type.Number(),
    queries: Type.Number(),
    sha256: text('of the base rows as little-endian float32'),
  }),
  at: Type.Optional(text('when its measurement began, ISO 8601')),
  commit: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: 'that it was measured of, where parts of a run are of several',
    }),
  ),
  leftOut: Type.Optional(
    list(Type.Object({ key: text(), why: text() }), 'algorithms that could not be built, opened or asked here'),
  ),
  othersCores: figure('cores that other processes used while speeds were measured'),
  repeats: figure('rounds'),
  baseline: Type.Union([Type.String(), Type.Null()], { description: 'key of the engine that ratios are to' }),
  engines: Type.Array(engine),
  exact: Type.Union([
    Type.Object({
      readBandwidth: figure('bytes a second that one thread reads in sequence'),
      limit: figure('scans of the float32 rows a second at that speed'),
      speeds: Type.Array(Type.Object({ what: text(), qps: Type.Number() })),
    }),
    Type.Null(),
  ]),
  changes: Type.Union([changes, Type.Null()], { description: 'of ours, where the grid asks for it' }),
});

/** Format of a result: every key, with what it holds. */
export const benchmarkResult = Type.Object(
  {
    format: Type.Literal('nigh-bench-ann'),
    version: Type.Literal(1),
    createdAt: text('ISO 8601'),
    grid: text('name of the grid'),
    k: Type.Number(),
    machine: Type.Object({
      cpu: text(),
      cores: Type.Number(),
      memoryBytes: Type.Number(),
      simd: text('instructions that our core uses'),
      system: text(),
      node: text(),
    }),
    nigh: Type.Object({
      version: text(),
      commit: Type.Union([Type.String(), Type.Null()], { description: 'with -dirty where files had been changed' }),
    }),
    skipped: list(Type.Object({ key: text(), why: text() }), 'algorithms of the grid that could not take part'),
    failed: Type.Optional(
      list(Type.Object({ dataset: text(), why: text() }), 'datasets of the grid that could not be measured'),
    ),
    datasets: Type.Array(dataset),
  },
  { title: 'A result of the benchmark suite of nigh', $schema: 'http://json-schema.org/draft-07/schema#' },
);

export type BenchmarkResult = Static<typeof benchmarkResult>;
export type DatasetResult = BenchmarkResult['datasets'][number];
export type EngineResult = DatasetResult['engines'][number];
export type CurvePoint = EngineResult['curve'][number];
