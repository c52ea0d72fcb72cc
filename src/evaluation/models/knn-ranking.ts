/**
 * Items ranked by the likeness of items, or of users; exact neighbours, top-k lists.
 *
 * Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 2004; the tuned baselines of Ferrari Dacrema et al., TOIS 2021.
 *
 *   item   score(u, j) = Σ sim(j, i) · v_ui   over the items i of the history that are among the k nearest of j
 *   user   score(u, j) = Σ sim(u, w) · v_wj   over the k nearest users w who have j
 *
 * Unlike for ratings, lengths are taken over everything a row has: over the common support alone, all cosines of ones are 1.
 */
import { type SparseNeighbors, sparseKnn } from '../../binding/sparse-knn.js';
import { CsrMatrix } from '../../core/csr-matrix.js';
import { type Matrix, zeros } from '../../core/matrix.js';
import { choice, integer, number, type ParamsOf, readParams } from '../../core/params.js';
import type { RankingModel, RankingQuestion, Trainer } from '../model.js';
import { withValues } from './similarity.js';

const schema = {
  of: choice(['item', 'user'], { default: 'item' }),
  similarity: choice(['cosine', 'jaccard', 'msd', 'pearson'], { default: 'cosine' }),
  /** Length of the lists of neighbours. */
  k: integer({ min: 1, max: 1_000_000, default: 100 }),
  minSupport: integer({ min: 1, max: 1_000_000, default: 1 }),
  /** s of n / (n + s): larger trusts a likeness over little in common less. */
  shrinkage: number({ min: 0, default: 0 }),
  /** `binary`: every interaction counts as 1. `raw`: by its value. */
  value: choice(['binary', 'raw'], { default: 'binary' }),
};

export type KnnRankingParams = ParamsOf<typeof schema>;

/** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function knnRankingTrainer(params: Readonly<Record<string, unknown>> = {}): Trainer<RankingModel> {
  const parsed = readParams(schema, params, 'knn');
  const native = {
    measure: parsed.similarity,
    k: parsed.k,
    minSupport: parsed.minSupport,
    shrinkage: parsed.shrinkage,
  };
  return {
    name: `${parsed.of} KNN ${parsed.similarity}`,
    fit: async (given, { signal, threads }) => {
      const options = { signal, threads };
      const train = valued(given, parsed);
      const counts = train.columnCounts();
      const rank =
        parsed.of === 'item'
          ? byItems(await sparseKnnSelf(train.transpose(), native, options))
          : (question: RankingQuestion) => byUsers(question, train, native, options);
      return {
        scores: async ({ users, histories }) => {
          const scores = await rank({ users, histories: valued(histories, parsed) });
          // Nothing is known of an item that nobody has.
          for (let at = 0; at < scores.data.length; at++) {
            if (counts[at % scores.dim] === 0) scores.data[at] = Number.NEGATIVE_INFINITY;
          }
          return scores;
        },
      };
    },
  };
}

type Knn = Parameters<typeof sparseKnn>[2];
type Options = NonNullable<Parameters<typeof sparseKnn>[3]>;

const valued = (matrix: CsrMatrix, { value }: KnnRankingParams) =>
  value === 'binary' ? withValues(matrix, () => 1) : matrix;

/** Row j: the neighbours of row j of the matrix, with their similarities. */
async function sparseKnnSelf(matrix: CsrMatrix, knn: Knn, options: Options): Promise<CsrMatrix> {
  return toMatrix(await sparseKnn(matrix, matrix, knn, options), matrix.rows);
}

function byItems(neighbors: CsrMatrix): (question: RankingQuestion) => Promise<Matrix> {
  // From an item of the history to the items that have it among their nearest.
  const { offsets, columns, values } = neighbors.transpose();
  return async ({ histories }) => {
    const scores = zeros(histories.rows, neighbors.rows);
    for (let r = 0; r < histories.rows; r++) {
      const row = scores.data.subarray(r * scores.dim, (r + 1) * scores.dim);
      for (let e = histories.offsets[r]!; e < histories.offsets[r + 1]!; e++) {
        const item = histories.columns[e]!;
        const weight = histories.values[e]!;
        for (let at = offsets[item]!; at < offsets[item + 1]!; at++) {
          row[columns[at]!] = row[columns[at]!]! + weight * values[at]!;
        }
      }
    }
    return scores;
  };
}

async function byUsers(
  { users, histories }: RankingQuestion,
  train: CsrMatrix,
  knn: Knn,
  options: Options,
): Promise<Matrix> {
  // One more, because a user of training is the nearest to themselves.
  const { k, ids, similarities, counts } = await sparseKnn(histories, train, { ...knn, k: knn.k + 1 }, options);
  const scores = zeros(histories.rows, train.cols);
  for (let r = 0; r < histories.rows; r++) {
    const row = scores.data.subarray(r * scores.dim, (r + 1) * scores.dim);
    let taken = 0;
    for (let at = r * k; at < r * k + counts[r]! && taken < knn.k; at++) {
      const neighbor = ids[at]!;
      if (neighbor === users?.[r]) continue;
      taken++;
      for (let e = train.offsets[neighbor]!; e < train.offsets[neighbor + 1]!; e++) {
        const item = train.columns[e]!;
        row[item] = row[item]! + similarities[at]! * train.values[e]!;
      }
    }
  }
  return scores;
}

function toMatrix({ k, ids, similarities, counts }: SparseNeighbors, cols: number): CsrMatrix {
  const rows: number[] = [];
  const columns: number[] = [];
  const values: number[] = [];
  counts.forEach((count, row) => {
    for (let at = row * k; at < row * k + count; at++) {
      rows.push(row);
      columns.push(ids[at]!);
      values.push(similarities[at]!);
    }
  });
  return CsrMatrix.fromTriplets({ rows: counts.length, cols }, { rows, columns, values });
}
