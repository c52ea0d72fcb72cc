/**
 * How alike two rows of ratings are: the names that people use, as a measure of the native search and what is done to the values before it.
 *
 *   cosine            Σ xy / √(Σx² Σy²) over what both rated
 *   adjusted-cosine   the same after every value lost the mean of its column (Sarwar et al. 2001: of its user, where rows are items)
 *   pearson           correlation over what both rated
 *   pearson-baseline  cosine of what the biases leave of the values (Koren 2010); meant to be used with shrinkage
 *   spearman          Pearson of ranks: each value's place among all values of its row, ties their mean place (Herlocker et al. 1999)
 *   msd               1 / (mean squared difference + 1)
 *   jaccard           in both / in either, whatever the values
 */
import type { SparseKnnParams } from '../../binding/sparse-knn.js';
import { CsrMatrix } from '../../core/csr-matrix.js';
import { type Biases, biasOf } from './biases.js';
import { rowMeans } from './rating-baselines.js';

export const similarityNames = [
  'cosine',
  'adjusted-cosine',
  'pearson',
  'pearson-baseline',
  'spearman',
  'msd',
  'jaccard',
] as const;

export type SimilarityName = (typeof similarityNames)[number];

export const measureOf: Readonly<Record<SimilarityName, SparseKnnParams['measure']>> = {
  cosine: 'common-cosine',
  'adjusted-cosine': 'common-cosine',
  pearson: 'pearson',
  'pearson-baseline': 'common-cosine',
  spearman: 'pearson',
  msd: 'msd',
  jaccard: 'jaccard',
};

/**
 * The rows as the measure is to see them.
 * @param biases of the same matrix, its rows as `users`
 */
export function comparable(rows: CsrMatrix, name: SimilarityName, biases: () => Biases): CsrMatrix {
  switch (name) {
    case 'adjusted-cosine': {
      const means = rowMeans(rows.transpose());
      return withValues(rows, (_, column, value) => value - means[column]!);
    }
    case 'pearson-baseline': {
      const fitted = biases();
      return withValues(rows, (row, column, value) => value - biasOf(fitted, row, column));
    }
    case 'spearman':
      return ranked(rows);
    default:
      return rows;
  }
}

/** The same entries with other values. */
export function withValues(
  matrix: CsrMatrix,
  change: (row: number, column: number, value: number) => number,
): CsrMatrix {
  const values = new Float32Array(matrix.entries);
  for (let r = 0; r < matrix.rows; r++) {
    for (let e = matrix.offsets[r]!; e < matrix.offsets[r + 1]!; e++) {
      values[e] = change(r, matrix.columns[e]!, matrix.values[e]!);
    }
  }
  return new CsrMatrix(matrix.rows, matrix.cols, matrix.offsets, matrix.columns, values);
}

/** Every value's place within its row, from 1 for the smallest; equal values share the mean of their places. */
function ranked(matrix: CsrMatrix): CsrMatrix {
  const values = new Float32Array(matrix.entries);
  for (let r = 0; r < matrix.rows; r++) {
    const row = matrix.row(r).values;
    const order = Uint32Array.from(row.keys()).sort((a, b) => row[a]! - row[b]!);
    for (let begin = 0; begin < order.length; ) {
      let end = begin + 1;
      while (end < order.length && row[order[end]!] === row[order[begin]!]) end++;
      for (let at = begin; at < end; at++) values[matrix.offsets[r]! + order[at]!] = (begin + 1 + end) / 2;
      begin = end;
    }
  }
  return new CsrMatrix(matrix.rows, matrix.cols, matrix.offsets, matrix.columns, values);
}
