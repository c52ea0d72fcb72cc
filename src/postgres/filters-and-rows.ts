/** Filters on the way to the database, rows on the way back. */
import { type IdSet, nativeIdSet } from '../index/id-set.js';
import type { SearchPlan, SearchResult } from '../index/vector-index.js';
import type { Row } from './database.js';
import { idsText } from './sql-text.js';

/** A filter as a condition. */
export interface Listed {
  readonly where: string;
  readonly deny: boolean;
  readonly count: number;
}

/** Sets are made once and used by many searches. */
const listed = new WeakMap<IdSet, Listed>();

export function listOf(filter: IdSet): Listed {
  const native = nativeIdSet('filter', filter);
  const known = listed.get(filter);
  if (known !== undefined) return known;
  const ids = native.listedIds();
  const deny = native.complement;
  const where = ids.length === 0 ? (deny ? 'true' : 'false') : `id ${deny ? '<> ALL' : '= ANY'} (${idsText(ids)})`;
  const made = { where, deny, count: ids.length };
  listed.set(filter, made);
  return made;
}

export function resultOf(rows: readonly Row[], plan: SearchPlan, visited: number): SearchResult {
  const ids = new Uint32Array(rows.length);
  const distances = new Float32Array(rows.length);
  rows.forEach(([id, distance], at) => {
    ids[at] = Number(id);
    // The sum of two infinities: as far as can be, which is where it was sorted.
    distances[at] = distance === 'NaN' ? Number.POSITIVE_INFINITY : Number(distance);
  });
  return { ids, distances, stats: { plan, visited, distances: visited } };
}
