/** Vectors on their way into a table and out of it. */
import { NighError } from '../core/errors.js';
import { findNotFinite, type Matrix } from '../core/matrix.js';
import { requireDim } from '../index/search-arguments.js';
import type { ProductMetricName } from '../index/vector-index.js';
import type { Database } from './database.js';
import type { PgTable } from './pg-table.js';
import { idsText, readVector } from './sql-text.js';

const rowsOfARead = 2000;

/** @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR */
export function requireQueries({ metric, dim }: PgTable, name: string, { data, rows, dim: given }: Matrix): void {
  requireDim(name, given, dim);
  const at = findNotFinite(data);
  if (at >= 0)
    throw new NighError('NOT_FINITE', `${name}: value ${at % dim} of row ${Math.floor(at / dim)} is not finite.`);
  if (metric !== 'cosine') return;
  for (let r = 0; r < rows; r++) {
    const own = data.subarray(r * dim, (r + 1) * dim);
    if (own.every((value) => value === 0)) throw new NighError('ZERO_VECTOR', `${name}: row ${r} has no direction.`);
  }
}

/** A copy; under cosine of unit length, since pgvector's float32 sums of squares overflow, or vanish, where the direction is clear. */
export function asStored(metric: ProductMetricName, vector: Float32Array): Float32Array {
  if (metric !== 'cosine') return vector.slice();
  // Scaled by the largest value first, so that no square leaves the range of float64 either.
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const length = largest * Math.sqrt(vector.reduce((sum, value) => sum + (value / largest) ** 2, 0));
  return vector.map((value) => value / length);
}

/** Ids as they are now; of an array that was transferred away none, as it has none. */
export function copied(ids: Uint32Array): Uint32Array {
  return ids.length === 0 ? new Uint32Array() : ids.slice();
}

/** The vectors of these ids, undefined for one that is not there. */
export async function readRows(
  database: Database,
  table: PgTable,
  ids: Uint32Array,
  signal: AbortSignal | undefined,
): Promise<(Float32Array | undefined)[]> {
  const found = new Map<number, Float32Array>();
  const sql = `SELECT id, embedding FROM ${table.quoted} WHERE id = ANY(${idsText(ids)})`;
  for (const [id, vector] of await database.read(sql, signal)) found.set(Number(id), readVector(vector!, table.dim));
  return Array.from(ids, (id) => found.get(id)?.slice());
}

/** Every row, read in the order of the ids, some at a time. */
export async function readAllRows(
  database: Database,
  { quoted, dim }: PgTable,
): Promise<{ readonly matrix: Matrix; readonly ids: Uint32Array }> {
  const ids: number[] = [];
  const vectors: Float32Array[] = [];
  for (let last = -1; ; last = ids.at(-1)!) {
    const sql = `SELECT id, embedding FROM ${quoted} WHERE id > ${last} ORDER BY id LIMIT ${rowsOfARead}`;
    const rows = await database.read(sql);
    for (const [id, vector] of rows) {
      ids.push(Number(id));
      vectors.push(readVector(vector!, dim));
    }
    if (rows.length < rowsOfARead) break;
  }
  const data = new Float32Array(vectors.length * dim);
  vectors.forEach((vector, r) => {
    data.set(vector, r * dim);
  });
  return { matrix: { data, rows: vectors.length, dim }, ids: Uint32Array.from(ids) };
}
