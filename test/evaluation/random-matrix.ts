import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { mulberry32 } from '../../src/core/random.js';

/** Seeded ratings of 1 to 5 by half stars; low items are likelier. */
export function randomRatings(users: number, items: number, density: number, seed: number): CsrMatrix {
  const next = mulberry32(seed);
  const rows: number[] = [];
  const columns: number[] = [];
  const values: number[] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < items; i++) {
      if (next() >= density * (1.6 - (1.2 * i) / items)) continue;
      rows.push(u);
      columns.push(i);
      values.push(1 + Math.floor(next() * 9) / 2);
    }
  }
  return CsrMatrix.fromTriplets({ rows: users, cols: items }, { rows, columns, values });
}

/** `row:column` of every entry. */
export function places(matrix: CsrMatrix): string[] {
  const found: string[] = [];
  for (let r = 0; r < matrix.rows; r++) for (const column of matrix.row(r).columns) found.push(`${r}:${column}`);
  return found;
}
