/**
 * Two results of the benchmark suite: what got better or worse. Speeds are compared as ratios to the baseline of the same run wherever both
 * runs have it, because a machine is another one from hour to hour; with the rounds as the sample, a bootstrap says how far the ratio of
 * the two can be trusted. Figures that were measured once (builds, sizes, recall at an effort) have no interval.
 */
import { Compile } from 'typebox/compile';
import { NighError } from '../../core/errors.js';
import { readJsonFile } from '../../data/read-json-file.js';
import { medianRatio } from '../bootstrap.js';
import { type BenchmarkResult, benchmarkResult, type DatasetResult, type EngineResult } from './result.js';
import { median, roundsAtRecall } from './speed.js';

export interface BenchmarkChange {
  readonly dataset: string;
  readonly engine: string;
  readonly figure: string;
  readonly before: number;
  readonly after: number;
  /** after / before. */
  readonly ratio: number;
  /** Of the ratio, 95 %; absent where the figure was measured once. */
  readonly interval?: { readonly low: number; readonly high: number };
  readonly verdict: 'better' | 'worse' | 'same';
}

export interface BenchmarkComparison {
  readonly before: { readonly createdAt: string; readonly commit: string | null };
  readonly after: { readonly createdAt: string; readonly commit: string | null };
  /** What could not be compared, and what to mind. */
  readonly notes: readonly string[];
  /** In the order of the later result. */
  readonly changes: readonly BenchmarkChange[];
}

const recalls = [0.9, 0.95, 0.99];
/** Ratios nearer to 1 are no change, whatever their interval: nobody would act on them. */
const least = 0.02;
/** The same of what was measured once: times drift by this much on a quiet machine. */
const leastOnce = { seconds: 0.15, bytes: 0.02, recall: 0.005 };

/**
 * Reads a result that `npm run bench` wrote.
 * @throws NighError NOT_FOUND, IO, FORMAT naming the first key that is wrong
 */
export async function readBenchmarkResult(path: string): Promise<BenchmarkResult> {
  const value = await readJsonFile(path);
  const check = Compile(benchmarkResult);
  if (check.Check(value)) return value;
  const [first] = check.Errors(value);
  throw new NighError(
    'FORMAT',
    `${path}: not a result of the benchmark suite: ${first?.instancePath || 'the document'} ${first?.message ?? 'is something else'}.`,
  );
}

/** What the later of two results has better or worse than the earlier one, dataset by dataset and engine by engine. */
export function compareBenchmarks(before: BenchmarkResult, after: BenchmarkResult): BenchmarkComparison {
  const notes: string[] = [];
  const { machine: old } = before;
  const { machine: now } = after;
  if (old.cpu !== now.cpu || old.cores !== now.cores || old.simd !== now.simd) {
    notes.push(
      `The machines differ (${old.cpu}, ${old.cores} cores, ${old.simd}; ${now.cpu}, ${now.cores} cores, ${now.simd}).`,
    );
  }
  const changes: BenchmarkChange[] = [];
  for (const dataset of after.datasets) {
    const { name } = dataset.dataset;
    const other = before.datasets.find((each) => each.dataset.name === name);
    if (other === undefined) {
      notes.push(`${name} is in the later result only.`);
      continue;
    }
    if (other.dataset.sha256 !== dataset.dataset.sha256) {
      notes.push(`${name} is left out: its rows are others.`);
      continue;
    }
    changes.push(...changesOf(other, dataset, notes));
  }
  for (const { dataset } of before.datasets) {
    if (after.datasets.every((each) => each.dataset.name !== dataset.name)) {
      notes.push(`${dataset.name} is in the earlier result only.`);
    }
  }
  const head = ({ createdAt, nigh: { commit } }: BenchmarkResult) => ({ createdAt, commit });
  return { before: head(before), after: head(after), notes, changes };
}

function changesOf(before: DatasetResult, after: DatasetResult, notes: string[]): BenchmarkChange[] {
  const baselines = [before, after].map(({ engines, baseline }) => engines.find(({ key }) => key === baseline));
  const [old, now] = baselines;
  const alike =
    old !== undefined && now !== undefined && old.version === now.version && old.parameters === now.parameters;
  const { name } = after.dataset;
  if (!alike) notes.push(`${name}: the runs have no baseline in common, so that speeds are absolute.`);
  return after.engines.flatMap((engine) => {
    const other = before.engines.find(({ key }) => key === engine.key);
    if (other === undefined || other.parameters !== engine.parameters) {
      notes.push(`${name}: ${engine.name} is in the later result only, with these parameters.`);
      return [];
    }
    const relative = alike && engine.key !== after.baseline;
    return engineChanges(name, other, engine, relative ? { before: old, after: now } : undefined);
  });
}

function engineChanges(
  dataset: string,
  before: EngineResult,
  after: EngineResult,
  baseline: { readonly before: EngineResult; readonly after: EngineResult } | undefined,
): BenchmarkChange[] {
  const engine = after.name;
  const changes: BenchmarkChange[] = [];
  for (const recall of recalls) {
    const rounds = ({ curve }: EngineResult, other: EngineResult | undefined) => {
      const divisors = other && roundsAtRecall(other.curve, recall);
      return roundsAtRecall(curve, recall).map((qps, round) => (divisors === undefined ? qps : qps / divisors[round]!));
    };
    const [was, is] = [rounds(before, baseline?.before), rounds(after, baseline?.after)];
    const figure = `queries/s at ${recall}${baseline === undefined ? '' : ', × baseline'}`;
    changes.push(...repeated({ dataset, engine, figure }, was, is));
  }
  for (const { threads, rounds } of after.nearest.batch) {
    const other = before.nearest.batch.find((each) => each.threads === threads);
    if (other === undefined || before.nearest.effort !== after.nearest.effort) continue;
    const figure = `batch queries/s on ${threads} at effort ${after.nearest.effort}`;
    changes.push(...repeated({ dataset, engine, figure }, other.rounds, rounds));
  }
  for (const build of after.builds) {
    const other = before.builds.find(({ threads }) => threads === build.threads);
    // The same build in both: nothing was measured again.
    if (other === undefined || other.at === build.at) continue;
    const { threads } = build;
    changes.push(
      once({ dataset, engine, figure: `build s on ${threads}` }, other.seconds, build.seconds, leastOnce.seconds),
    );
    if (typeof other.cpuSeconds !== 'number' || typeof build.cpuSeconds !== 'number') continue;
    const figure = `build, s of the processor, on ${threads}`;
    changes.push(once({ dataset, engine, figure }, other.cpuSeconds, build.cpuSeconds, leastOnce.seconds));
  }
  changes.push(
    once(
      { dataset, engine, figure: 'bytes a vector, file' },
      before.bytesPerVector,
      after.bytesPerVector,
      leastOnce.bytes,
    ),
  );
  for (const point of after.curve) {
    const other = before.curve.find(({ effort }) => effort === point.effort);
    if (other === undefined) continue;
    const difference = point.recall - other.recall;
    // Recall at an effort is of interest only where it moved; there are many efforts.
    if (Math.abs(difference) < leastOnce.recall) continue;
    changes.push({
      ...{ dataset, engine, figure: `recall at effort ${point.effort}`, before: other.recall, after: point.recall },
      ratio: point.recall / other.recall,
      verdict: difference > 0 ? 'better' : 'worse',
    });
  }
  return changes;
}

type Subject = Pick<BenchmarkChange, 'dataset' | 'engine' | 'figure'>;

/** Where larger is better. Nothing where one of the two does not reach the recall. */
function repeated(subject: Subject, before: readonly number[], after: readonly number[]): BenchmarkChange[] {
  const known = (values: readonly number[]) => values.length > 0 && values.every((value) => Number.isFinite(value));
  if (!known(before) || !known(after)) return [];
  const { value: ratio, low, high } = medianRatio(before, after);
  return [
    {
      ...subject,
      before: median(before),
      after: median(after),
      ratio,
      interval: { low, high },
      verdict: Math.abs(ratio - 1) < least || (low <= 1 && high >= 1) ? 'same' : ratio > 1 ? 'better' : 'worse',
    },
  ];
}

/** Where smaller is better. */
function once(subject: Subject, before: number, after: number, smallest: number): BenchmarkChange {
  const ratio = after / before;
  return {
    ...{ ...subject, before, after, ratio },
    verdict: Math.abs(ratio - 1) < smallest ? 'same' : ratio < 1 ? 'better' : 'worse',
  };
}
