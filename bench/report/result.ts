/** The result of a comparison as one plain object: what `--json` writes, and what tables and chart are made of. */
import type { OpenMode } from '../algorithms/algorithm.js';
import type { BuildRecord } from '../builds.js';
import type { OpenAnswer } from '../children/child.js';
import { ratioAt, type Spread, speedAt } from '../compare/at-recall.js';
import type { Contender, Point } from '../compare/contender.js';
import { wantedRecalls } from '../compare/curves.js';
import type { ExactSpeeds } from '../compare/exact.js';
import type { Latency } from '../compare/latency.js';
import type { BenchDataset } from '../datasets/dataset.js';
import { median } from '../measures.js';

export interface CurvePoint {
  readonly effort: number;
  readonly recall: number;
  readonly qps: Spread;
}

export interface EngineResult {
  readonly name: string;
  readonly version: string;
  readonly parameters: string;
  readonly build: BuildRecord & { readonly earlier: boolean };
  readonly otherBuilds: readonly BuildRecord[];
  readonly bytesPerVector: number;
  readonly opening: Partial<Record<OpenMode, OpenAnswer>>;
  readonly curve: readonly CurvePoint[];
  /** Where the engine takes a recall instead of an effort: what was asked for, found, and how fast. */
  readonly asked: readonly CurvePoint[];
  /** One an asked-for recall; null where it is not reached. */
  readonly atRecall: readonly { readonly recall: number; readonly qps: Spread | null; readonly ratio: Spread | null }[];
  readonly latency: Omit<Latency, 'batchQps'> & { readonly batchQps: Readonly<Record<string, number>> };
}

export interface ComparisonResult {
  readonly dataset: {
    readonly name: string;
    readonly about: string;
    readonly metric: string;
    readonly rows: number;
    readonly dim: number;
    readonly queries: number;
  };
  readonly machine: { readonly cpu: string; readonly cores: number; readonly simd: string; readonly node: string };
  /** Cores that other processes used while speeds were measured. */
  readonly othersCores: number;
  readonly k: number;
  readonly repeats: number;
  /** The engine to which the ratios are; null where it took no part. */
  readonly baseline: string | null;
  readonly engines: readonly EngineResult[];
  readonly exact: ExactSpeeds;
}

export interface Measured {
  readonly dataset: BenchDataset;
  readonly k: number;
  readonly repeats: number;
  readonly machine: ComparisonResult['machine'];
  readonly contenders: readonly Contender[];
  readonly latencies: ReadonlyMap<string, Latency>;
  readonly openings: ReadonlyMap<string, ReadonlyMap<OpenMode, OpenAnswer>>;
  readonly exact: ExactSpeeds;
  readonly busyCores: number;
  /** Key of the engine to which ratios are. */
  readonly baseline: string;
}

export function resultOf(measured: Measured): ComparisonResult {
  const { dataset, k, repeats, machine, contenders, latencies, openings, exact, busyCores } = measured;
  const { name, about, metric, base, queries } = dataset;
  const baseline = contenders.find(({ key }) => key === measured.baseline);
  const engines = contenders.map((contender): EngineResult => {
    const { key, algorithm, built, otherBuilds, curve, asked } = contender;
    const { path: _, ...build } = built;
    const { batchQps, ...latency } = latencies.get(key)!;
    return {
      name: algorithm.name,
      version: built.version,
      parameters: built.parameters,
      build,
      otherBuilds,
      bytesPerVector: built.fileBytes / base.rows,
      opening: Object.fromEntries(openings.get(key) ?? []),
      curve: curve.map((point) => curvePoint(point, queries.rows)),
      asked: asked.map((point) => curvePoint(point, queries.rows)),
      atRecall: wantedRecalls.map((recall) => ({
        recall,
        qps: reached(speedAt(curve, recall, queries.rows)),
        ratio: baseline === undefined ? null : reached(ratioAt(curve, baseline.curve, recall)),
      })),
      latency: { ...latency, batchQps: Object.fromEntries(batchQps) },
    };
  });
  return {
    dataset: { name, about, metric, rows: base.rows, dim: base.dim, queries: queries.rows },
    machine,
    othersCores: busyCores,
    k,
    repeats,
    baseline: baseline?.algorithm.name ?? null,
    engines,
    exact,
  };
}

function curvePoint({ effort, recall, seconds }: Point, queries: number): CurvePoint {
  const speeds = seconds.map((time) => queries / time);
  return { effort, recall, qps: { median: median(speeds), min: Math.min(...speeds), max: Math.max(...speeds) } };
}

function reached(spread: Spread): Spread | null {
  return Number.isNaN(spread.median) ? null : spread;
}
