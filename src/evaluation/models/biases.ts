/**
 * Predictions from how high a user rates and how high an item is rated, and nothing else: the row that every rating model has to beat.
 *
 * Koren, "Factor in the neighbors: scalable and accurate collaborative filtering", TKDD 2010, section 2.1:  r̂_ui = μ + b_u + b_i.
 *
 *   als  b_i = Σ (r − μ − b_u) / (λ_i + n_i), then b_u = Σ (r − μ − b_i) / (λ_u + n_u), for some rounds: exact, converges at once
 *   sgd  b += γ (e − λ b) over the interactions in their order, for some rounds
 */
import type { CsrMatrix } from '../../core/csr-matrix.js';
import { NighError } from '../../core/errors.js';
import { findNotFinite } from '../../core/matrix.js';
import { choice, integer, number, type ParamsOf, readParams } from '../../core/params.js';
import type { Pairs, RatingModel, Trainer } from '../model.js';

const schema = {
  /** How the biases are found: `als` by turns, `sgd` by gradient steps. */
  method: choice(['als', 'sgd'], { default: 'als' }),
  /** λ_u of `als`: so many ratings of deviation 0 are added to every user's. */
  userRegularization: number({ min: 0, default: 15 }),
  /** λ_i of `als`. */
  itemRegularization: number({ min: 0, default: 10 }),
  /** Rounds over the interactions; enough for `als` to settle. */
  iterations: integer({ min: 1, max: 10_000, default: 10 }),
  /** γ of `sgd`. */
  learningRate: number({ above: 0, default: 0.005 }),
  /** λ of `sgd`. */
  regularization: number({ min: 0, default: 0.02 }),
};

export type BiasParams = ParamsOf<typeof schema>;

export interface Biases {
  readonly mean: number;
  readonly users: Float64Array;
  readonly items: Float64Array;
}

/** `biases only`. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function biasesTrainer(params: Readonly<Record<string, unknown>> = {}): Trainer<RatingModel> {
  const parsed = readParams(schema, params, 'biases');
  return {
    name: `biases only (${parsed.method})`,
    fit: async (train) => {
      const biases = fitBiases(train, parsed);
      const clip = clipper(train);
      return { predict: async ({ users, items }) => mapPairs({ users, items }, (u, i) => clip(biasOf(biases, u, i))) };
    },
  };
}

/** @throws NighError EMPTY_DATASET, NOT_FINITE */
export function fitBiases(train: CsrMatrix, params: BiasParams = readParams(schema, {}, '')): Biases {
  const mean = globalMean(train);
  const biases = { mean, users: new Float64Array(train.rows), items: new Float64Array(train.cols) };
  if (params.method === 'als') alternate(train, biases, params);
  else descend(train, biases, params);
  return biases;
}

export const biasOf = ({ mean, users, items }: Biases, user: number, item: number): number =>
  mean + users[user]! + items[item]!;

function alternate(train: CsrMatrix, { mean, users, items }: Biases, params: BiasParams): void {
  const counts = train.columnCounts();
  for (let round = 0; round < params.iterations; round++) {
    items.fill(0);
    forEachEntry(train, (user, item, value) => {
      items[item] = items[item]! + value - mean - users[user]!;
    });
    for (let item = 0; item < items.length; item++) {
      const weight = params.itemRegularization + counts[item]!;
      items[item] = weight === 0 ? 0 : items[item]! / weight;
    }
    users.fill(0);
    forEachEntry(train, (user, item, value) => {
      users[user] = users[user]! + value - mean - items[item]!;
    });
    for (let user = 0; user < users.length; user++) {
      const weight = params.userRegularization + train.offsets[user + 1]! - train.offsets[user]!;
      users[user] = weight === 0 ? 0 : users[user]! / weight;
    }
  }
}

function descend(train: CsrMatrix, biases: Biases, { iterations, learningRate, regularization }: BiasParams): void {
  const { users, items } = biases;
  for (let round = 0; round < iterations; round++) {
    forEachEntry(train, (user, item, value) => {
      const error = value - biasOf(biases, user, item);
      users[user] = users[user]! + learningRate * (error - regularization * users[user]!);
      items[item] = items[item]! + learningRate * (error - regularization * items[item]!);
    });
  }
  if (users.every(Number.isFinite) && items.every(Number.isFinite)) return;
  throw new NighError(
    'INVALID_ARGUMENT',
    'biases.learningRate: expected steps that converge; they grew without bound.',
  );
}

/** @throws NighError EMPTY_DATASET, NOT_FINITE */
export function globalMean({ values }: CsrMatrix): number {
  if (values.length === 0) throw new NighError('EMPTY_DATASET', 'There is no rating to learn from.');
  requireFinite(values);
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** @throws NighError NOT_FINITE */
function requireFinite(values: Float32Array): void {
  const bad = findNotFinite(values);
  if (bad >= 0) throw new NighError('NOT_FINITE', `Expected finite ratings, and one is ${values[bad]}.`);
}

/** Keeps a prediction within the values that training has. @throws NighError NOT_FINITE */
export function clipper({ values }: CsrMatrix): (value: number) => number {
  requireFinite(values);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return (value) => Math.min(high, Math.max(low, value));
}

export function mapPairs({ users, items }: Pairs, predict: (user: number, item: number) => number): Float32Array {
  return Float32Array.from(users, (user, at) => predict(user, items[at]!));
}

export function forEachEntry(matrix: CsrMatrix, visit: (row: number, column: number, value: number) => void): void {
  for (let r = 0; r < matrix.rows; r++) {
    for (let e = matrix.offsets[r]!; e < matrix.offsets[r + 1]!; e++) visit(r, matrix.columns[e]!, matrix.values[e]!);
  }
}
