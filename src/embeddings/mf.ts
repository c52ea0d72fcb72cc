/**
 * The embedding `mf`: items and users from ratings, by biased matrix factorisation (mf-model.ts names the papers).
 *
 * A user's list is ranked by r̂ = μ + b_u + b_i + p_u·q_i. μ and b_u are the same for all items of a user, so the vectors are [p_u; 1]
 * and [q_i; b_i], under inner product. What is recommended is what would be rated highest, not what would be chosen: on interactions
 * without values `als` or `bpr` are for that.
 *
 * Items are compared by the direction of q_i without its bias, times the root of the share of the item's ratings that p·q explains
 * beyond the biases (1 − Σ(r − r̂)² / Σ(r − μ − b_u − b_i)², kept within 0 and 1): an item of few ratings has a direction, but a random one.
 */
import { ratingFoldIn } from '../binding/train-ratings.js';
import { breathe } from '../core/abort.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { gatherRows, type Matrix, zeros } from '../core/matrix.js';
import type { Dataset } from '../data/dataset.js';
import type { Embedding, FitContext, FittedSpace, History } from './embedding.js';
import { fitMf, type MfModel, type MfParams, mfSchema, parseMf, scaled, unscaled } from './mf-model.js';
import { ModelReader } from './model-reader.js';
import { firstColumns, withLast } from './popularity.js';
import { type PopularityParams, withPopularityOption } from './popularity-option.js';
import { rowsWhere } from './trained-rows.js';

export type MfSpaceParams = MfParams & PopularityParams;

export const mf: Embedding<MfSpaceParams> = withPopularityOption<MfParams>({
  name: 'mf',
  keys: Object.keys(mfSchema),
  schema: mfSchema,
  parse: parseMf,
  fit: fitSpace,
  openFolder: (stored) => {
    const reader = new ModelReader('mf', stored);
    const model = {
      factors: reader.integer('factors'),
      mean: reader.number('mean'),
      regularization: reader.number('regularization'),
      likedAs: reader.number('likedAs'),
    };
    return (history) => foldIn(model, history);
  },
});

async function fitSpace(
  { interactions, origin }: Dataset,
  params: MfParams,
  context: FitContext,
): Promise<FittedSpace> {
  if (interactions.entries > 0 && interactions.values.every((value) => value === interactions.values[0])) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `mf learns from how ratings differ, and every value of the dataset ${origin.name} is ${interactions.values[0]}: use als or bpr.`,
    );
  }
  const model = await fitMf(interactions, params, context);
  const counts = interactions.columnCounts();
  const items = rowsWhere(
    withLast(model.items, (item) => model.itemBiases[item]!),
    (item) => counts[item]! > 0,
  );
  const users = rowsWhere(
    withLast(model.users, () => 1),
    (user) => interactions.offsets[user + 1]! > interactions.offsets[user]!,
  );
  const rated = items.ordinals;
  const shares = await explainedBeyondBiases(interactions, model, context.signal);
  const best = interactions.values.reduce((largest, value) => Math.max(largest, value));
  return {
    items,
    users,
    likeness: toLikeness(gatherRows(model.items, rated), rated, shares),
    model: {
      factors: params.factors,
      mean: model.mean,
      regularization: model.regularization,
      likedAs: unscaled(model, best),
    },
    notes: {
      interactions: interactions.entries,
      meanRating: scaled(model, model.mean),
      itemsWithoutVector: interactions.cols - rated.length,
      usersWithoutVector: interactions.rows - users.ordinals.length,
      meanExplainedShare: rated.reduce((sum, item) => sum + shares[item]!, 0) / rated.length,
    },
  };
}

/** Rows between two breaths of the event loop. */
const rowsAtOnce = 4_096;

async function explainedBeyondBiases(
  ratings: CsrMatrix,
  model: MfModel,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const { users, items, userBiases, itemBiases, mean } = model;
  const left = new Float64Array(items.rows);
  const whole = new Float64Array(items.rows);
  for (let user = 0; user < ratings.rows; user++) {
    if (user % rowsAtOnce === 0) await breathe(signal);
    const p = user * users.dim;
    for (let e = ratings.offsets[user]!; e < ratings.offsets[user + 1]!; e++) {
      const item = ratings.columns[e]!;
      const q = item * items.dim;
      const base = mean + userBiases[user]! + itemBiases[item]!;
      let x = base;
      for (let d = 0; d < items.dim; d++) x += users.data[p + d]! * items.data[q + d]!;
      left[item] = left[item]! + (ratings.values[e]! - scaled(model, x)) ** 2;
      whole[item] = whole[item]! + (ratings.values[e]! - scaled(model, base)) ** 2;
    }
  }
  return Float32Array.from(left, (rest, item) =>
    whole[item]! > 0 ? Math.min(1, Math.max(0, 1 - rest / whole[item]!)) : 0,
  );
}

/** An item that the factors do not explain is like no other; it still has a place to be found from. */
const shortest = 1e-3;

function toLikeness(items: Matrix, rated: Uint32Array, shares: Float32Array): Matrix {
  const out = zeros(items.rows, items.dim);
  rated.forEach((item, r) => {
    const q = items.data.subarray(r * items.dim, (r + 1) * items.dim);
    const length = Math.sqrt(q.reduce((sum, value) => sum + value * value, 0));
    if (length === 0) return;
    const scale = Math.max(shortest, Math.sqrt(shares[item]!)) / length;
    out.data.set(
      q.map((value) => value * scale),
      r * items.dim,
    );
  });
  return out;
}

/** What fold-in needs besides the vectors of the items in a history. */
interface StoredMf {
  readonly factors: number;
  readonly mean: number;
  readonly regularization: number;
  /** What an item that somebody likes counts as having been rated: the largest rating, in front of the sigmoid where there is one. */
  readonly likedAs: number;
}

/** [p; 1] of somebody who gives each of these items the best rating, each squared error times its weight. */
async function foldIn(model: StoredMf, { vectors, weights }: History): Promise<Float32Array> {
  const { factors } = model;
  const n = vectors.rows;
  const items = firstColumns(vectors, factors);
  const itemBiases = Float32Array.from({ length: n }, (_, r) => vectors.data[r * vectors.dim + factors]!);
  const ratings = new CsrMatrix(
    1,
    n,
    Uint32Array.of(0, n),
    Uint32Array.from({ length: n }, (_, column) => column),
    new Float32Array(n).fill(model.likedAs),
  );
  const { users } = await ratingFoldIn(ratings, { ...model, items, itemBiases }, weights, { threads: 1 });
  return Float32Array.of(...users.data, 1);
}
