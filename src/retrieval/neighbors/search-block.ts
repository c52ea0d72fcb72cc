/**
 * The neighbours of some rows by as few searches as can be: one batch a space over all rows that it has a vector for.
 *
 * An item is left out of its own row by asking for one more and dropping it. What a user has seen differs from row to row, so those who have seen
 * something are searched one by one with a filter of their own, many at a time; the work is in the native threads either way. Rows for which no
 * space has a vector are left to who called.
 */
import { breathe } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import type { Matrix } from '../../core/matrix.js';
import { IdSet } from '../../index/id-set.js';
import type { VectorIndex } from '../../index/vector-index.js';
import { scoreOf, searchEffort } from '../pipeline/candidates.js';
import { scoresEnough } from '../pipeline/filtering.js';
import { userPart } from '../questions/parts.js';
import type { Space } from '../space.js';
import type { NeighborArrays } from './block.js';
import { inLanes } from './lanes.js';
import type { NeighborsPlan } from './plan.js';

/** Vectors to gather between two looks at the event loop: some 100 µs. */
const gatheredAtOnce = 256;
/** Searches under way at a time, where each row is one. */
const searchesAtOnce = 64;

/**
 * Fills the rows that a space of the plan answers.
 * @param spaces the plan's, whose positions are those in `arrays.spaceNames`
 * @returns the rows that none does
 */
export async function searchBlock(
  plan: NeighborsPlan,
  spaces: readonly Space[],
  arrays: NeighborArrays,
  signal: AbortSignal,
): Promise<readonly number[]> {
  let left: readonly number[] = Array.from(arrays.rows.keys());
  for (const [s, space] of spaces.entries()) {
    if (left.length === 0) break;
    const index = plan.of === 'items' ? space.similar : space.forUsers;
    const { known, unknown, queries } = await gather(plan, space, index, arrays, left, signal);
    left = unknown;
    if (known.length === 0) continue;
    for (const r of known) arrays.spaces[r] = s;
    if (plan.of === 'items') await searchItems(plan, space, index, arrays, known, queries, signal);
    else await searchForUsers(plan, space, index, arrays, known, queries, signal);
  }
  return left;
}

interface Gathered {
  readonly known: readonly number[];
  readonly unknown: readonly number[];
  /** One row a known one. */
  readonly queries: Matrix;
}

async function gather(
  plan: NeighborsPlan,
  space: Space,
  index: VectorIndex,
  { rows }: NeighborArrays,
  wanted: readonly number[],
  signal: AbortSignal,
): Promise<Gathered> {
  const { dim } = index;
  const data = new Float32Array(wanted.length * dim);
  const known: number[] = [];
  const unknown: number[] = [];
  for (let begin = 0; begin < wanted.length; begin += gatheredAtOnce) {
    if (begin > 0) await breathe(signal);
    const some = wanted.slice(begin, begin + gatheredAtOnce);
    const own =
      plan.of === 'items'
        ? await space.itemVectors(
            Uint32Array.from(some, (r) => rows[r]!),
            signal,
          )
        : await Promise.all(some.map((r) => userVector(plan, space, rows[r]!)));
    for (const [at, r] of some.entries()) {
      const vector = space.weigh(own[at], plan.query.weights);
      if (vector === undefined) {
        unknown.push(r);
        continue;
      }
      data.set(vector, known.length * dim);
      known.push(r);
    }
  }
  return { known, unknown, queries: { data: data.subarray(0, known.length * dim), rows: known.length, dim } };
}

async function userVector({ collection, taste }: NeighborsPlan, space: Space, user: number) {
  return (await space.userVector(user)) ?? (await userPart(collection, user, taste).probe(space))?.vector;
}

async function searchItems(
  plan: NeighborsPlan,
  space: Space,
  index: VectorIndex,
  arrays: NeighborArrays,
  known: readonly number[],
  queries: Matrix,
  signal: AbortSignal,
): Promise<void> {
  const { query, filter, threads } = plan;
  const width = query.k + 1;
  const options = { ...searchEffort(query, space, index, width), filter: filter.ids, threads, signal };
  const { ids, distances, counts } = await index.searchBatch(queries, width, options);
  for (const [q, r] of known.entries()) {
    const begin = q * width;
    take(plan, index, arrays, r, ids, distances, begin, begin + counts[q]!, arrays.rows[r]!);
  }
}

async function searchForUsers(
  plan: NeighborsPlan,
  space: Space,
  index: VectorIndex,
  arrays: NeighborArrays,
  known: readonly number[],
  queries: Matrix,
  signal: AbortSignal,
): Promise<void> {
  const { query, filter, threads, collection } = plan;
  const { k, excludeSeen } = query;
  const effort = searchEffort(query, space, index, k);
  const seenBy = (r: number) => (excludeSeen ? collection.seen.itemsOf(arrays.rows[r]!) : undefined);
  const alike: number[] = [];
  const apart: number[] = [];
  for (const [q, r] of known.entries()) ((seenBy(r)?.length ?? 0) === 0 ? alike : apart).push(q);
  if (alike.length > 0) {
    const same = { ...effort, filter: filter.ids, threads, signal };
    const { ids, distances, counts } = await index.searchBatch(chosen(queries, alike), k, same);
    for (const [at, q] of alike.entries()) {
      take(plan, index, arrays, known[q]!, ids, distances, at * k, at * k + counts[at]!, undefined);
    }
  }
  await inLanes(apart, threads === 0 ? searchesAtOnce : threads, signal, async (q) => {
    const r = known[q]!;
    const unseen = IdSet.deny(seenBy(r)!);
    const own = filter.ids === undefined ? unseen : unseen.and(filter.ids);
    const vector = queries.data.subarray(q * queries.dim, (q + 1) * queries.dim);
    const { ids, distances } = await index.search(vector, k, { ...effort, filter: own, signal });
    take(plan, index, arrays, r, ids, distances, 0, ids.length, undefined);
  });
}

function chosen({ data, dim }: Matrix, rows: readonly number[]): Matrix {
  const picked = new Float32Array(rows.length * dim);
  for (const [at, r] of rows.entries()) picked.set(data.subarray(r * dim, (r + 1) * dim), at * dim);
  return { data: picked, rows: rows.length, dim };
}

/** Takes what a search found over into row r: as far as k and the least score, without the item itself. */
function take(
  { query: { k, minScore } }: NeighborsPlan,
  index: VectorIndex,
  { neighbors, scores, counts }: NeighborArrays,
  r: number,
  ids: Uint32Array,
  distances: Float32Array,
  begin: number,
  end: number,
  self: number | undefined,
): void {
  let at = r * k;
  const full = at + k;
  for (let i = begin; i < end && at < full; i++) {
    if (ids[i] === self) continue;
    const score = scoreOf(index, distances[i]!);
    if (!scoresEnough(score, minScore)) break;
    if (Number.isNaN(score)) throw new NighError('INTERNAL', `Row ${r} has a neighbour without a score.`);
    neighbors[at] = ids[i]!;
    scores[at] = score;
    at++;
  }
  counts[r] = at - r * k;
}
