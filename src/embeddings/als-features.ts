/**
 * Items that nobody chose yet, placed among the factors of `als` by what else is known of them: the vectors of another space.
 *
 *   direction   B g, the linear map that the training pulled the items to (native/train/als), g with a constant 1 at its end
 *   length      e^(n·g): what the features predict of log |q|. A ridge regression shrinks its predictions, the more the less they are
 *               worth, so that B g as it is would lose to every item that was trained
 *   likeness    the same direction, and as its length √s, the share s·g that the factors are predicted to explain (als.ts)
 */
import { ridgeMap } from '../binding/train-linear.js';
import { breathe } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import { type Matrix, row, zeros } from '../core/matrix.js';
import type { FitContext, FittedSpace } from './embedding.js';
import type { ModelReader } from './model-reader.js';
import { hasLength, squaredLength } from './trained-rows.js';

/** What places an item by its features. */
export interface FeatureMap {
  /** B: factors × (features + 1). */
  readonly map: Matrix;
  /** n and s: 2 × (features + 1). */
  readonly scales: Matrix;
}

/** Of an item that the factors explain less of, they know nothing. */
export const minExplainedShare = 0.01;

/** @throws NighError INVALID_ARGUMENT where the space was not fitted before */
export function requireFeatures(name: string, spaces: FitContext['spaces']): FittedSpace {
  const space = spaces?.get(name);
  if (space !== undefined) return space;
  throw new NighError('INVALID_ARGUMENT', `features: the space ${name} was not fitted before.`);
}

/** A row for every item: what it is compared by and a 1, or zeros where it has no vector. */
export function featureRows({ likeness, items: { matrix: own, ordinals } }: FittedSpace, items: number): Matrix {
  const matrix = likeness ?? own;
  const rows = zeros(items, matrix.dim + 1);
  ordinals.forEach((item, r) => {
    const target = row(rows, item);
    target.set(row(matrix, r));
    target[matrix.dim] = 1;
  });
  return rows;
}

/** n and s, learnt where there is something to learn from. @param weights by item */
export async function fitScales(
  features: Matrix,
  weights: Float32Array,
  items: Matrix,
  shares: Float32Array,
  regularization: number,
  context: FitContext,
): Promise<Matrix> {
  const targets = zeros(items.rows, 2);
  const known = weights.map((weight, item) => {
    if (!hasLength(items, item)) return 0;
    targets.data[2 * item] = Math.log(squaredLength(items, item)) / 2;
    targets.data[2 * item + 1] = shares[item]!;
    return weight;
  });
  return ridgeMap(features, known, targets, regularization, { ...context, onProgress: undefined });
}

/** Items between two breaths of the event loop. */
const itemsAtOnce = 512;

/** Gives the rows of items and shares that `isCold` names what their features say. @returns how many it placed */
export async function placeCold(
  features: Matrix,
  placing: FeatureMap,
  isCold: (item: number) => boolean,
  items: Matrix,
  shares: Float32Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  let placed = 0;
  for (let item = 0; item < items.rows; item++) {
    if (item % itemsAtOnce === 0) await breathe(signal);
    const known = row(features, item);
    // The constant says whether there is anything at all.
    if (!isCold(item) || known[known.length - 1] === 0) continue;
    const found = placeFeatures(placing, known);
    if (found === undefined) continue;
    items.data.set(found.vector, item * items.dim);
    shares[item] = found.share;
    placed++;
  }
  return placed;
}

/** The place of features with their constant; undefined where they point nowhere. */
export function placeFeatures(
  { map, scales }: FeatureMap,
  features: Float32Array,
): { readonly vector: Float32Array; readonly share: number } | undefined {
  const direction = Float32Array.from({ length: map.rows }, (_, k) => product(row(map, k), features));
  const length = Math.sqrt(direction.reduce((squares, value) => squares + value * value, 0));
  if (!(length > 1e-12)) return undefined;
  const scale = Math.exp(product(row(scales, 0), features)) / length;
  const share = Math.min(1, Math.max(minExplainedShare, product(row(scales, 1), features)));
  return { vector: direction.map((value) => scale * value), share };
}

/** As it is stored in the model. */
export function storedFeatureMap({ map, scales }: FeatureMap): Readonly<Record<string, unknown>> {
  return { featureDim: map.dim, featureMap: map.data, featureScales: scales.data };
}

/** @throws NighError FORMAT */
export function readFeatureMap(reader: ModelReader, factors: number): FeatureMap {
  const dim = reader.integer('featureDim');
  return {
    map: { data: reader.floats('featureMap', factors * dim), rows: factors, dim },
    scales: { data: reader.floats('featureScales', 2 * dim), rows: 2, dim },
  };
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}
