/**
 * The embedding `als`: items and users from interactions, by implicit alternating least squares.
 *
 * Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008; objective and scaling of Rendle,
 * Krichene, Zhang and Koren, "Revisiting the performance of iALS on item recommendation benchmarks", RecSys 2022. The sweeps
 * are native (native/train/als); this file turns a dataset into confidences and factors into a space.
 *
 *   paper        here
 *   c_ui         confidence = alpha · w(value), w by `value`: binary 1, raw the value, log log2(1 + value)
 *   w0, λ, ν     unobservedWeight, regularization, frequencyExponent
 *
 * What damps popularity: every factor is pulled to zero by λ·(n + w0·N)^ν. The larger ν, the stronger a hub's vector is pulled,
 * relative to the evidence for it; and every pair that was not observed asks for a product of zero with weight w0, so a hub
 * must be *specific* to be long in any direction. Similar items compare directions only (cosine).
 */
import { alsFoldIn, alsGramian, alsTrain } from '../binding/train.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { choice, integer, number, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Embedding, FitContext, FittedSpace, History, Vectors } from './embedding.js';
import { ModelReader } from './model-reader.js';

const schema = {
  /** Dimensions. More fit finer tastes, and cost time (quadratic a row), memory and, on little data, generality. */
  factors: integer({ min: 1, max: 1024, default: 64 }),
  /** Sweeps over users and items. */
  iterations: integer({ min: 1, max: 1000, default: 12 }),
  /** w0: how strongly a pair that was not observed asks for a score of zero. Larger damps popularity and widens the catalogue. */
  unobservedWeight: number({ above: 0, default: 0.1 }),
  /** λ. Larger pulls factors to zero: smoother, less specific. */
  regularization: number({ min: 0, default: 0.01 }),
  /** ν: how regularisation grows with the number of interactions of a user or item. 0 treats all alike, 1 pulls hubs hardest. */
  frequencyExponent: number({ min: 0, max: 2, default: 1 }),
  /** Confidence of one plain interaction. */
  alpha: number({ above: 0, default: 1 }),
  /** What an interaction's value says: nothing (`binary`), its size (`raw`), the logarithm of its size (`log`). */
  value: choice(['binary', 'raw', 'log'], { default: 'binary' }),
  /** Interactions of a smaller value are not trained on (a rating of 2 of 5 is not liking); they still count as seen. Values of 0 and below never are. */
  minValue: number({ min: 0, default: 0 }),
  /** Standard deviation of a start vector's length, as in the paper. */
  initStddev: number({ above: 0, default: 0.1 }),
  /** Conjugate-gradient steps a row, started from the last sweep's factors; 0 solves every row exactly by Cholesky. */
  cgSteps: integer({ min: 0, max: 100, default: 3 }),
  seed: integer({ min: 0, default: 42 }),
};

export type AlsParams = ParamsOf<typeof schema>;

export const als: Embedding<AlsParams> = {
  name: 'als',
  keys: Object.keys(schema),
  parse: (params, path) => readParams(schema, params, path),
  fit: fitAls,
  openFolder: (stored) => {
    const model = readAlsModel(stored);
    return (history) => foldIn(model, history);
  },
};

async function fitAls(dataset: Dataset, params: AlsParams, context: FitContext): Promise<FittedSpace> {
  const confidences = toConfidences(dataset.interactions, params);
  if (confidences.entries === 0) {
    throw new NighError(
      'EMPTY_DATASET',
      `als: the dataset ${dataset.origin.name} has no interaction with a value above 0 and of at least ${params.minValue}.`,
    );
  }
  const { users, items } = await alsTrain(confidences, params, context);
  const gramian = await alsGramian(items, params.unobservedWeight);
  const trainedItems = occupied(items, confidences.columnCounts());
  const trainedUsers = occupied(users, rowCounts(confidences));
  const { factors, unobservedWeight, regularization, frequencyExponent, alpha } = params;
  return {
    items: trainedItems,
    users: trainedUsers,
    model: { factors, unobservedWeight, regularization, frequencyExponent, alpha, items: items.rows, gramian },
    notes: {
      interactions: confidences.entries,
      itemsWithoutVector: items.rows - trainedItems.ordinals.length,
      usersWithoutVector: users.rows - trainedUsers.ordinals.length,
      popularity:
        `damped by cosine over factors, unobservedWeight ${unobservedWeight} and regularisation that grows with ` +
        `(interactions + unobservedWeight × others)^${frequencyExponent}`,
    },
  };
}

/** The training matrix: interactions that count, each with its confidence. */
export function toConfidences(interactions: CsrMatrix, { value, alpha, minValue }: AlsParams): CsrMatrix {
  const offsets = new Uint32Array(interactions.rows + 1);
  const columns = new Uint32Array(interactions.entries);
  const values = new Float32Array(interactions.entries);
  let size = 0;
  for (let r = 0; r < interactions.rows; r++) {
    for (let e = interactions.offsets[r]!; e < interactions.offsets[r + 1]!; e++) {
      const given = interactions.values[e]!;
      if (!(given > 0) || given < minValue) continue;
      columns[size] = interactions.columns[e]!;
      values[size] = alpha * (value === 'binary' ? 1 : value === 'raw' ? given : Math.log2(1 + given));
      size++;
    }
    offsets[r + 1] = size;
  }
  return new CsrMatrix(interactions.rows, interactions.cols, offsets, columns.slice(0, size), values.slice(0, size));
}

/** What fold-in needs besides the vectors of the items in a history. */
export interface AlsModel {
  readonly factors: number;
  readonly unobservedWeight: number;
  readonly regularization: number;
  readonly frequencyExponent: number;
  /** Confidence of one plain interaction. */
  readonly alpha: number;
  /** How many items the model was trained over: part of a user's regularisation. */
  readonly items: number;
  /** factors × factors: unobservedWeight · QᵀQ, the part of a row solve that all users share. */
  readonly gramian: Float32Array;
}

/** @throws NighError FORMAT */
export function readAlsModel(model: Readonly<Record<string, unknown>>): AlsModel {
  const reader = new ModelReader('als', model);
  const factors = reader.integer('factors');
  return {
    factors,
    unobservedWeight: reader.number('unobservedWeight'),
    regularization: reader.number('regularization'),
    frequencyExponent: reader.number('frequencyExponent'),
    alpha: reader.number('alpha'),
    items: reader.integer('items'),
    gramian: reader.floats('gramian', factors * factors),
  };
}

/** The vector that training would give a user with this history, exactly (Cholesky). */
export async function foldIn(model: AlsModel, { vectors, weights }: History): Promise<Float32Array> {
  const n = vectors.rows;
  const row = new CsrMatrix(
    1,
    n,
    Uint32Array.of(0, n),
    Uint32Array.from({ length: n }, (_, column) => column),
    weights.map((weight) => weight * model.alpha),
  );
  const { data } = await alsFoldIn(row, vectors, model.gramian, model, model.items);
  return data;
}

function rowCounts(matrix: CsrMatrix): Uint32Array {
  return Uint32Array.from({ length: matrix.rows }, (_, r) => matrix.offsets[r + 1]! - matrix.offsets[r]!);
}

/** The rows that had something to be trained on. */
function occupied(matrix: Matrix, counts: Uint32Array): Vectors {
  const ordinals = Uint32Array.from({ length: matrix.rows }, (_, r) => r).filter((r) => counts[r]! > 0);
  if (ordinals.length === matrix.rows) return { matrix, ordinals };
  const data = new Float32Array(ordinals.length * matrix.dim);
  ordinals.forEach((r, at) => {
    data.set(matrix.data.subarray(r * matrix.dim, (r + 1) * matrix.dim), at * matrix.dim);
  });
  return { matrix: { data, rows: ordinals.length, dim: matrix.dim }, ordinals };
}
