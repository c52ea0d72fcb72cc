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
 *   p_u, q_i     user and item factors; a user's score for an item is p_u·q_i
 *
 * How items are compared with each other (this is what damps popularity, see docs/decisions/0002): not by q_i·q_j, which hubs win
 * by their length, and not by cos(q_i, q_j) alone, which the rarest win, because a vector that two interactions made points exactly
 * where they do. But by the cosine of the items' whole rows of interactions, of which the factors hold a part:
 *
 *   likeness(i, j) = √s_i · √s_j · cos(q_i, q_j)      s_i = how much of i the factors explain (explained-share.ts)
 *
 * In a projection, |x̂|²/|x|² is the mean of the fitted values over the ones of x; the unexplained parts of two items are taken to
 * have nothing in common. Deviation: iALS is not a projection, but its mean fitted score plays the same part.
 */
import { alsGramian, alsTrain } from '../binding/train.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { integer, number, optional, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import { foldIn, readAlsModel } from './als-model.js';
import type { Embedding, FitContext, FittedSpace, Vectors } from './embedding.js';
import { explainedShares } from './explained-share.js';
import { hasLength, rowsWhere, squaredLength } from './trained-rows.js';
import { toWeights, type Weighting, weightingSchema } from './weighting.js';

const schema = {
  /** Dimensions. More fit finer tastes, and cost time (quadratic a row), memory and, on little data, generality. */
  factors: integer({ min: 1, max: 1024, default: 64 }),
  /** Sweeps over users and items. */
  iterations: integer({ min: 1, max: 1000, default: 12 }),
  /**
   * w0: how strongly a pair that was not observed asks for a score of zero. Larger damps popularity, and takes interactions to mean
   * less. Default: as much as lets all unobserved pairs together weigh 20 times what the observed ones do, at most 0.3, so
   * that a sparse matrix is not drowned by its zeros.
   */
  unobservedWeight: optional(number({ above: 0 })),
  /** λ. Larger pulls factors to zero: smoother, less specific. */
  regularization: number({ min: 0, default: 0.01 }),
  /** ν: how regularisation grows with the number of interactions of a user or item. 0 treats all alike, 1 pulls hubs hardest. */
  frequencyExponent: number({ min: 0, max: 2, default: 1 }),
  /** Confidence of one plain interaction. */
  alpha: number({ above: 0, default: 1 }),
  ...weightingSchema,
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
  const unobservedWeight = params.unobservedWeight ?? defaultUnobservedWeight(confidences);
  const { users, items } = await alsTrain(confidences, { ...params, unobservedWeight }, context);
  const gramian = await alsGramian(items, unobservedWeight);
  const shares = await explainedShares(confidences, users, items, context.signal);
  const trained = rowsWhere(items, (item) => (shares[item] ?? 0) >= minExplainedShare && hasLength(items, item));
  const trainedUsers = rowsWhere(users, (user) => hasLength(users, user));
  const { factors, regularization, frequencyExponent, alpha } = params;
  return {
    items: trained,
    users: trainedUsers,
    likeness: toLikeness(trained, shares),
    model: { factors, unobservedWeight, regularization, frequencyExponent, alpha, items: items.rows, gramian },
    notes: {
      interactions: confidences.entries,
      unobservedWeight,
      itemsWithoutVector: items.rows - trained.ordinals.length,
      usersWithoutVector: users.rows - trainedUsers.ordinals.length,
      meanExplainedShare: trained.ordinals.reduce((sum, item) => sum + shares[item]!, 0) / trained.ordinals.length,
      popularity:
        'damped: items are compared by direction, times the root of the share of each that the factors explain',
    },
  };
}

function defaultUnobservedWeight({ rows, cols, entries, values }: CsrMatrix): number {
  const observed = values.reduce((sum, confidence) => sum + confidence, 0) / entries;
  return Math.min(0.3, 20 * (entries / rows / cols)) * observed;
}

/** Of an item that the factors explain less of, they know nothing: it has no vector, and other spaces answer for it. */
const minExplainedShare = 0.01;

/** Directions of length √share. */
function toLikeness({ matrix: items, ordinals }: Vectors, shares: Float32Array): Matrix {
  const data = new Float32Array(items.data.length);
  ordinals.forEach((item, r) => {
    const at = r * items.dim;
    const scale = Math.sqrt(shares[item]! / squaredLength(items, r));
    for (let d = at; d < at + items.dim; d++) data[d] = scale * items.data[d]!;
  });
  return { data, rows: items.rows, dim: items.dim };
}

/** The training matrix: interactions that count, each with its confidence. */
export function toConfidences(interactions: CsrMatrix, params: Weighting & Pick<AlsParams, 'alpha'>): CsrMatrix {
  const { rows, cols, offsets, columns, values } = toWeights(interactions, params);
  return new CsrMatrix(
    rows,
    cols,
    offsets,
    columns,
    values.map((weight) => params.alpha * weight),
  );
}
