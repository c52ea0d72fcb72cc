/**
 * Ratings predicted by the k most similar users (or items) who have one to tell; exact.
 *
 * Herlocker et al., SIGIR 1999; Sarwar et al., WWW 2001; Koren, TKDD 2010; the definitions are those of Surprise (Hug, JOSS 2020).
 *
 *   r̂ = base + scale · Σ sim · t / Σ sim     over at most k neighbours of positive similarity
 *   center     base       scale   t (of the neighbour's rating)
 *   none       0          1       r
 *   mean       mean       1       r − its mean
 *   z-score    mean       σ       (r − its mean) / its σ
 *   baseline   μ+b_u+b_i  1       r − its own μ+b_u+b_i
 *
 * Deviation: where nobody has a rating to tell, `none` falls back to the baseline μ+b_u+b_i, not to μ. (The mean of
 * the row would be worse: where nobody is alike, a row has few ratings.)
 */
import { sparseKnnMeans } from '../../binding/sparse-knn.js';
import type { CsrMatrix } from '../../core/csr-matrix.js';
import { choice, integer, number, type ParamsOf, readParams } from '../../core/params.js';
import type { RatingModel, Trainer } from '../model.js';
import { biasOf, clipper, fitBiases } from './biases.js';
import { rowMeans } from './rating-baselines.js';
import { comparable, measureOf, similarityNames, withValues } from './similarity.js';

const schema = {
  /** Whose likeness counts: users who rated the item, or items that the user rated. */
  of: choice(['user', 'item'], { default: 'user' }),
  similarity: choice(similarityNames, { default: 'msd' }),
  /** What a rating is measured from. */
  center: choice(['none', 'mean', 'z-score', 'baseline'], { default: 'none' }),
  /** At most so many neighbours speak. More are steadier, and less alike. */
  k: integer({ min: 1, max: 1_000_000, default: 40 }),
  /** With fewer ratings in common two are no neighbours. */
  minSupport: integer({ min: 1, max: 1_000_000, default: 1 }),
  /** s of n / (n + s): larger trusts a likeness over few common ratings less. 0: all alike. */
  shrinkage: number({ min: 0, default: 0 }),
};

export type KnnRatingParams = ParamsOf<typeof schema>;

/** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function knnRatingTrainer(params: Readonly<Record<string, unknown>> = {}): Trainer<RatingModel> {
  const parsed = readParams(schema, params, 'knn');
  const { of, similarity, center } = parsed;
  const how = { none: '', mean: ', means', 'z-score': ', z-score', baseline: ', baseline' }[center];
  return {
    name: `${of} KNN ${similarity}${how}`,
    fit: async (train, { signal, threads }) => {
      const rows = of === 'user' ? train : train.transpose();
      const centering = centerings[center](rows);
      const compared = comparable(rows, similarity, () => fitBiases(rows));
      const clip = clipper(train);
      return {
        predict: async ({ users, items }) => {
          const [pairRows, pairColumns] = of === 'user' ? [users, items] : [items, users];
          const { k, minSupport, shrinkage } = parsed;
          const means = await sparseKnnMeans(
            compared,
            centering.targets,
            pairRows,
            pairColumns,
            { measure: measureOf[similarity], k, minSupport, shrinkage },
            { signal, threads },
          );
          return means.map((mean, at) => {
            const row = pairRows[at]!;
            const column = pairColumns[at]!;
            return clip(Number.isNaN(mean) ? centering.fallback(row, column) : centering.place(row, column, mean));
          });
        },
      };
    },
  };
}

interface Centering {
  /** What a neighbour's rating says, parallel to the entries. */
  readonly targets: Float32Array;
  /** What the neighbours' mean says of this pair. */
  place(row: number, column: number, mean: number): number;
  /** The prediction without a neighbour. */
  fallback(row: number, column: number): number;
}

const centerings: Readonly<Record<KnnRatingParams['center'], (rows: CsrMatrix) => Centering>> = {
  none: (rows) => {
    const biases = fitBiases(rows);
    return {
      targets: rows.values,
      place: (_row, _column, mean) => mean,
      fallback: (row, column) => biasOf(biases, row, column),
    };
  },
  mean: (rows) => {
    const means = rowMeans(rows);
    return {
      targets: withValues(rows, (row, _, value) => value - means[row]!).values,
      place: (row, _, mean) => means[row]! + mean,
      fallback: (row) => means[row]!,
    };
  },
  'z-score': (rows) => {
    const means = rowMeans(rows);
    const deviations = rowDeviations(rows, means);
    return {
      targets: withValues(rows, (row, _, value) => (value - means[row]!) / deviations[row]!).values,
      place: (row, _, mean) => means[row]! + deviations[row]! * mean,
      fallback: (row) => means[row]!,
    };
  },
  baseline: (rows) => {
    const biases = fitBiases(rows);
    return {
      targets: withValues(rows, (row, column, value) => value - biasOf(biases, row, column)).values,
      place: (row, column, mean) => biasOf(biases, row, column) + mean,
      fallback: (row, column) => biasOf(biases, row, column),
    };
  },
};

/** The standard deviation of every row; that of all values where a row does not vary, and 1 where none does. */
function rowDeviations(matrix: CsrMatrix, means: Float64Array): Float64Array {
  const overall = means.length === 0 ? 0 : matrix.values.reduce((sum, value) => sum + value, 0) / matrix.entries;
  const spread = Math.sqrt(matrix.values.reduce((sum, value) => sum + (value - overall) ** 2, 0) / matrix.entries) || 1;
  return means.map((mean, row) => {
    const { values } = matrix.row(row);
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return variance > 0 ? Math.sqrt(variance) : spread;
  });
}
