/**
 * What LSA costs: how many of the nearest documents by the sparse rows are still the nearest by the dense vectors.
 *
 * Both searches are exact. As recall by distance counts, a neighbour found is as good as a true one where its sparse likeness is that of
 * the true k-th, because documents of the same words tie; documents that share no term with the query are no true neighbours.
 */
import { exactSearch, native } from '../binding/native.js';
import { runTask, type TaskOptions } from '../binding/task.js';
import { csrArguments } from '../binding/train.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { gatherRows, type Matrix } from '../core/matrix.js';

export interface NeighbourLoss {
  /** Mean over the sampled documents that have a true neighbour, 0 to 1; NaN where none has one. */
  readonly overlap: number;
  readonly documents: number;
}

const k = 10;
/** Likenesses differ in the last bits between two ways of summing. */
const tolerance = 1e-5;

/**
 * overlap@10 over at most `samples` documents, evenly spaced.
 * @param sparse unit rows
 * @param dense their vectors; row r is of the sparse row rows[r]
 */
export async function measureNeighbourLoss(
  sparse: CsrMatrix,
  dense: Matrix,
  rows: Uint32Array,
  samples: number,
  options: TaskOptions,
): Promise<NeighbourLoss> {
  const step = Math.max(1, dense.rows / samples);
  const sampled = Uint32Array.from({ length: Math.min(samples, dense.rows) }, (_, i) => Math.floor(i * step));
  const queries = gatherSparseRows(
    sparse,
    sampled.map((r) => rows[r]!),
  );
  const { NativeIndex } = native();
  const bySparse = await runTask(options, (control) =>
    NativeIndex.buildSparse(...csrArguments(sparse), null, 'cosine', control),
  );
  const byDense = await runTask(options, (control) =>
    NativeIndex.buildFlat(dense.data, dense.rows, dense.dim, rows, 'cosine', 'none', control),
  );
  try {
    const truth = answers(sampled.length);
    await runTask(options, (control) =>
      bySparse.searchRows(
        ...csrArguments(queries),
        exactSearch(k + 1),
        null,
        truth.ids,
        truth.distances,
        truth.counts,
        0,
        control,
      ),
    );
    const found = answers(sampled.length);
    const vectors = gatherRows(dense, sampled);
    await runTask(options, (control) =>
      byDense.searchBatch(
        vectors.data,
        vectors.rows,
        vectors.dim,
        exactSearch(k + 1),
        null,
        found.ids,
        found.distances,
        found.counts,
        0,
        control,
      ),
    );
    let sum = 0;
    let documents = 0;
    for (let q = 0; q < sampled.length; q++) {
      const own = rows[sampled[q]!]!;
      const likenesses = neighbours(truth, q, own).map(([, distance]) => 1 - distance);
      const places = likenesses.filter((likeness) => likeness > tolerance).length;
      if (places === 0) continue;
      const least = likenesses[places - 1]! - tolerance;
      const near = neighbours(found, q, own)
        .slice(0, places)
        .filter(([row]) => dotRows(sparse, own, row) >= least).length;
      sum += near / places;
      documents++;
    }
    return { overlap: sum / documents, documents };
  } finally {
    bySparse.close();
    byDense.close();
  }
}

interface Answers {
  readonly ids: Uint32Array;
  readonly distances: Float32Array;
  readonly counts: Uint32Array;
}

function answers(rows: number): Answers {
  return {
    ids: new Uint32Array(rows * (k + 1)),
    distances: new Float32Array(rows * (k + 1)),
    counts: new Uint32Array(rows),
  };
}

/** At most k rows and their distances, closest first, without the query's own. */
function neighbours({ ids, distances, counts }: Answers, q: number, own: number): [row: number, distance: number][] {
  const found: [number, number][] = [];
  for (let at = q * (k + 1); at < q * (k + 1) + counts[q]!; at++) {
    if (ids[at] !== own) found.push([ids[at]!, distances[at]!]);
  }
  return found.slice(0, k);
}

function gatherSparseRows(matrix: CsrMatrix, rows: Uint32Array): CsrMatrix {
  const parts = Array.from(rows, (r) => matrix.row(r));
  const offsets = new Uint32Array(rows.length + 1);
  parts.forEach(({ columns }, r) => {
    offsets[r + 1] = offsets[r]! + columns.length;
  });
  const columns = new Uint32Array(offsets[rows.length]!);
  const values = new Float32Array(columns.length);
  parts.forEach((part, r) => {
    columns.set(part.columns, offsets[r]);
    values.set(part.values, offsets[r]);
  });
  return new CsrMatrix(rows.length, matrix.cols, offsets, columns, values);
}

function dotRows({ offsets, columns, values }: CsrMatrix, a: number, b: number): number {
  let sum = 0;
  let at = offsets[b]!;
  for (let e = offsets[a]!; e < offsets[a + 1]!; e++) {
    while (at < offsets[b + 1]! && columns[at]! < columns[e]!) at++;
    if (at < offsets[b + 1]! && columns[at] === columns[e]) sum += values[e]! * values[at]!;
  }
  return sum;
}
