/** The options that building any index takes. */
import type { TaskOptions } from '../binding/task.js';
import { invalidArgument, NighError } from '../core/errors.js';
import {
  type BitMatrix,
  type Matrix,
  type MatrixOf,
  requireBitMatrix,
  requireMatrix,
  type Vector,
} from '../core/matrix.js';
import { choice, type Field, number, optional } from '../core/params.js';
import { type Ids, toIds } from './id-list.js';
import { isBitMetric, isProductMetric, type MetricName, metricNames, productMetricNames } from './vector-index.js';

export interface BuildOptions extends TaskOptions {
  /** What close means. */
  readonly metric: MetricName;
  /** One distinct uint32 a row; 0xFFFFFFFF is reserved. Default: 0 … rows − 1. */
  readonly ids?: Ids | undefined;
}

export const quantizationNames = ['none', 'f16', 'sq8'] as const;

/**
 * What is kept beside the vectors to be read in their stead: nothing, half-precision values, or int8 codes with one scale
 * a vector.
 */
export type QuantizationName = (typeof quantizationNames)[number];

/** Codes pay where distances are made of products. */
export function defaultQuantization(metric: MetricName): 'none' | 'sq8' {
  return isProductMetric(metric) ? 'sq8' : 'none';
}

/**
 * Checks that a matrix holds what the metric is about.
 * @throws NighError INVALID_ARGUMENT, DIMENSION_MISMATCH
 */
export function requireVectors(name: string, metric: MetricName, value: MatrixOf<Vector>): void {
  if (isBitMetric(metric)) {
    requireBitMatrix(name, value as BitMatrix);
  } else {
    requireMatrix(name, value as Matrix);
  }
}

/** The fields of BuildOptions, for readParams. */
export const buildFields = {
  metric: choice(metricNames),
  ids: optional<Uint32Array>({ read: (value, path) => toIds(path, value), optional: false }),
  signal: optional(instance(AbortSignal, 'an AbortSignal')),
  onProgress: optional(progressCallback()),
};

/** The same of an engine that knows the metrics of products only. */
export const productFields = { ...buildFields, metric: choice(productMetricNames) };

/**
 * The ids of the rows of a matrix, or null for 0 … rows − 1.
 * @throws NighError INVALID_ARGUMENT unless there is one id a row
 */
export function idsFor(matrix: { readonly rows: number }, ids: Uint32Array | undefined): Uint32Array | null {
  return ids === undefined ? null : requireIdPerRow(matrix, ids);
}

/** @throws NighError INVALID_ARGUMENT */
export function requireIdPerRow(matrix: { readonly rows: number }, ids: Uint32Array): Uint32Array {
  if (ids.length === matrix.rows) return ids;
  throw new NighError('INVALID_ARGUMENT', `ids: expected ${matrix.rows}, one a row, got ${ids.length}.`);
}

/** A field whose value is of a class. */
export function instance<T>(type: abstract new (...args: never[]) => T, expected: string): Field<T> {
  return {
    read: (value, path) => {
      if (!(value instanceof type)) throw invalidArgument(path, expected, value);
      return value;
    },
    optional: false,
  };
}

/** A field for `onProgress`. */
export function progressCallback(): Field<(done: number, total: number) => void> {
  return {
    read: (value, path) => {
      if (!isCallback(value)) throw invalidArgument(path, 'a function', value);
      return value;
    },
    optional: false,
  };
}

function isCallback(value: unknown): value is (done: number, total: number) => void {
  return typeof value === 'function';
}

/** The wanted share of the true neighbours. */
export const recallField = number({ above: 0, max: 1 - Number.EPSILON });

/** @throws NighError INVALID_ARGUMENT */
export function onlyOneEffort(efSearch: number | undefined, recall: number | undefined): void {
  if (efSearch === undefined || recall === undefined) return;
  throw new NighError('INVALID_ARGUMENT', 'recall: expected only one of efSearch and recall, got both.');
}
