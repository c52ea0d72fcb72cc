/**
 * Blocks of one number or date. How alike two values x and y are:
 *
 *   number         e^(−|x − y| / scale), scale a standard deviation of the column unless given: standardised (decay.ts)
 *   with `bins`    1 in the same of so many bins of about equally many items, else 0
 *   with `edges`   1 between the same two edges, else 0
 *   date           e^(−|x − y| / years), of Unix seconds
 */
import { describe, invalidArgument, NighError } from '../../core/errors.js';
import {
  choice,
  type Field,
  integer,
  joinPath,
  number,
  optional,
  type ParamsOf,
  readParams,
} from '../../core/params.js';
import { ModelReader } from '../model-reader.js';
import { chooseKnots, decayEncoder } from './decay.js';
import type { FeatureEncoder, FeatureKind, FeatureValue, FittedFeature } from './feature-kind.js';

const edgeList: Field<readonly number[] | undefined> = {
  optional: true,
  read: (value, path) => {
    const ascends =
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((edge, i) => Number.isFinite(edge) && (i === 0 || edge > value[i - 1]));
    if (!ascends) throw invalidArgument(path, 'a list of numbers that ascend', value);
    return value;
  },
};

const common = {
  /** What the block weighs beside the others. */
  weight: number({ above: 0, max: 1e6, default: 1 }),
  /** Dimensions at most, where values are not put in bins. With as many as there are distinct values the likeness is exact. */
  knots: optional(integer({ min: 2, max: 4096 })),
};
const defaultKnots = 128;

const numberSchema = {
  type: choice(['number']),
  ...common,
  /** The difference at which the likeness is 1/e, in the column's unit. Default: the standard deviation of the column. */
  scale: optional(number({ above: 0 })),
  /** So many bins with about equally many items, where values repeat fewer. */
  bins: optional(integer({ min: 2, max: 4096 })),
  /** Where bins end: a value of an edge is in the bin above it. */
  edges: edgeList,
};

const dateSchema = {
  type: choice(['date']),
  ...common,
  /** The years after which the likeness is 1/e. */
  years: number({ above: 0, default: 5 }),
};

type NumberRule = ParamsOf<typeof numberSchema>;
type DateRule = ParamsOf<typeof dateSchema>;

/** The mean Gregorian year. */
const secondsOfYear = 365.2425 * 86_400;

export const numberFeature: FeatureKind<NumberRule> = {
  columns: ['number'],
  parse: parseNumber,
  fit(values, { scale, bins, edges, knots }) {
    const numbers = values as readonly number[];
    if (edges !== undefined) return { edges: Float64Array.from(edges) };
    if (bins !== undefined) return { edges: quantiles(numbers, bins) };
    return fitDecay(numbers, scale ?? (standardDeviation(numbers) || 1), knots);
  },
  open: (fitted, { bins, edges }) => (bins === undefined && edges === undefined ? openDecay(fitted) : openBins(fitted)),
};

export const dateFeature: FeatureKind<DateRule> = {
  columns: ['number'],
  parse: (value, path) => readParams(dateSchema, value, path),
  fit: (values, { years, knots }) => fitDecay(values as readonly number[], years * secondsOfYear, knots),
  open: openDecay,
};

function parseNumber(value: Readonly<Record<string, unknown>>, path: string): NumberRule {
  const rule = readParams(numberSchema, value, path);
  const { bins, edges } = rule;
  const binned = bins !== undefined ? 'bins' : edges !== undefined ? 'edges' : undefined;
  if (binned === undefined) return rule;
  for (const key of ['edges', 'scale', 'knots'] as const) {
    if (key === binned || rule[key] === undefined) continue;
    throw new NighError(
      'INVALID_ARGUMENT',
      `${joinPath(path, key)}: expected none beside ${binned}, got ${describe(rule[key])}.`,
    );
  }
  return rule;
}

function fitDecay(values: readonly number[], scale: number, knots = defaultKnots): FittedFeature {
  return { knots: chooseKnots(values, knots), scale };
}

function openDecay(fitted: FittedFeature): FeatureEncoder {
  const reader = new ModelReader('features', fitted);
  const knots = reader.doubles('knots');
  const encode = decayEncoder(knots, reader.number('scale'));
  return { dim: knots.length, encode: (value) => (isNumber(value) ? encode(value) : undefined) };
}

function openBins(fitted: FittedFeature): FeatureEncoder {
  const edges = new ModelReader('features', fitted).doubles('edges');
  const dim = edges.length + 1;
  return {
    dim,
    encode(value) {
      if (!isNumber(value)) return undefined;
      const vector = new Float32Array(dim);
      const after = edges.findIndex((edge) => edge > value);
      vector[after < 0 ? edges.length : after] = 1;
      return vector;
    },
  };
}

function isNumber(value: FeatureValue): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Edges between bins of about equally many values; equal values are never parted. */
function quantiles(values: readonly number[], bins: number): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const edges = new Set<number>();
  for (let b = 1; b < bins; b++) {
    const edge = sorted[Math.floor((b * sorted.length) / bins)]!;
    if (edge > sorted[0]!) edges.add(edge);
  }
  return Float64Array.from(edges);
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
}
