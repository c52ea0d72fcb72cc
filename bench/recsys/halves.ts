import { CsrMatrix, randomSplit } from 'nigh/evaluation';

/** The rows of a matrix in two random halves, as two matrices of the same shape. */
export function halves(matrix: CsrMatrix, seed: number): [CsrMatrix, CsrMatrix] {
  const rows = CsrMatrix.fromTriplets(
    { rows: 1, cols: matrix.rows },
    {
      rows: Array(matrix.rows).fill(0),
      columns: Array.from({ length: matrix.rows }, (_, row) => row),
      values: Array(matrix.rows).fill(1),
    },
  );
  const { train, test } = randomSplit(rows, { testShare: 0.5, seed });
  return [train, test].map(({ columns }) => {
    const chosen = new Set(columns);
    const kept = { rows: [] as number[], columns: [] as number[], values: [] as number[] };
    for (const row of chosen) {
      for (const [at, column] of matrix.row(row).columns.entries()) {
        kept.rows.push(row);
        kept.columns.push(column);
        kept.values.push(matrix.row(row).values[at]!);
      }
    }
    return CsrMatrix.fromTriplets({ rows: matrix.rows, cols: matrix.cols }, kept);
  }) as [CsrMatrix, CsrMatrix];
}
