/** The naive index that changing ones are held against: a map of the last vector of every id. */
import type { Matrix } from '../../src/core/matrix.js';
import type { MetricName } from '../../src/index/vector-index.js';
import { rowOf } from './matrices.js';
import { type Neighbour, nearest } from './oracle.js';

export class Model {
  readonly dim: number;
  readonly rows: Map<number, Float32Array>;

  constructor(dim: number, rows: Iterable<readonly [number, Float32Array]> = []) {
    this.dim = dim;
    this.rows = new Map(rows);
  }

  has = (id: number): boolean => this.rows.has(id);

  put(matrix: Matrix, ids: readonly number[]): void {
    ids.forEach((id, r) => {
      this.rows.set(id, rowOf(matrix, r));
    });
  }

  /** The same rows now, whatever becomes of this. */
  copy(): Model {
    return new Model(this.dim, this.rows);
  }

  matrix(): { matrix: Matrix; ids: Uint32Array } {
    const data = new Float32Array(this.rows.size * this.dim);
    Array.from(this.rows.values()).forEach((row, r) => {
      data.set(row, r * this.dim);
    });
    return { matrix: { data, rows: this.rows.size, dim: this.dim }, ids: Uint32Array.from(this.rows.keys()) };
  }

  /** All that is allowed, closest first, ties by id. */
  ranked(metric: MetricName, query: Float32Array, allowed?: (id: number) => boolean): Neighbour[] {
    return nearest({ ...this.matrix(), metric, allowed }, query, this.rows.size);
  }
}
