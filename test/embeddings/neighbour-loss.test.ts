import { describe, expect, it } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { type Matrix, row } from '../../src/core/matrix.js';
import { measureNeighbourLoss } from '../../src/embeddings/neighbour-loss.js';
import { dot, seeded } from './support.js';

const [documents, terms, dim] = [70, 40, 4];

/** Unit rows of some terms each; every tenth is one of a kind, with a term that no other has. */
function world(): { sparse: CsrMatrix; dense: Matrix; rows: Uint32Array } {
  const random = seeded(11);
  const triplets: [number, number, number][] = [];
  for (let d = 0; d < documents; d++) {
    if (d % 10 === 9) triplets.push([d, terms + d, 1]);
    else for (let i = 0; i < 3; i++) triplets.push([d, (d % 8) * 5 + Math.floor(random() * 5), 1 + random()]);
  }
  const counts = CsrMatrix.fromTriplets(
    { rows: documents, cols: terms + documents },
    { rows: triplets.map((t) => t[0]), columns: triplets.map((t) => t[1]), values: triplets.map((t) => t[2]) },
  );
  for (let d = 0; d < documents; d++) {
    const { values } = counts.row(d);
    const length = Math.hypot(...values);
    values.forEach((value, e) => {
      values[e] = value / length;
    });
  }
  // The first row has no vector.
  const rows = Uint32Array.from({ length: documents - 1 }, (_, r) => r + 1);
  const data = Float32Array.from({ length: rows.length * dim }, () => random() - 0.5);
  return { sparse: counts, dense: { data, rows: rows.length, dim }, rows };
}

function toDense(sparse: CsrMatrix, r: number): number[] {
  const out = new Array<number>(sparse.cols).fill(0);
  const { columns, values } = sparse.row(r);
  columns.forEach((column, e) => {
    out[column] = values[e]!;
  });
  return out;
}

describe('measureNeighbourLoss', () => {
  it('counts the true neighbours that the dense vectors find, pair by pair', async () => {
    const { sparse, dense, rows } = world();
    const likeness = (a: number, b: number) => dot(toDense(sparse, a), toDense(sparse, b));
    const cosine = (a: number, b: number) => {
      const [p, q] = [row(dense, a), row(dense, b)];
      return dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q));
    };
    let sum = 0;
    let counted = 0;
    rows.forEach((own, r) => {
      const others = Array.from({ length: documents }, (_, d) => d).filter((d) => d !== own);
      const truth = others
        .map((d) => likeness(own, d))
        .sort((a, b) => b - a)
        .slice(0, 10)
        .filter((value) => value > 1e-5);
      if (truth.length === 0) return;
      const found = [...rows.keys()]
        .filter((q) => q !== r)
        .sort((a, b) => cosine(r, b) - cosine(r, a))
        .slice(0, truth.length);
      sum += found.filter((q) => likeness(own, rows[q]!) >= truth.at(-1)! - 1e-5).length / truth.length;
      counted++;
    });
    const measured = await measureNeighbourLoss(sparse, dense, rows, 1_000, {});
    expect(measured.documents).toBe(counted);
    expect(counted).toBeLessThan(rows.length);
    expect(measured.overlap).toBeCloseTo(sum / counted, 6);
    expect(measured.overlap).toBeLessThan(0.6);
  });
});
