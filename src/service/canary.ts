/**
 * Whether what is served still finds what is near: items of a fixed sample, searched as users do and exactly, one after the other so
 * that nobody waits for it.
 *
 * Recall by score, not by id: who finds another item that is as near has missed nothing.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { NighError } from '../core/errors.js';
import type { Answer, QueryOptions } from '../retrieval/types.js';
import type { ServedCollection } from './served-collections.js';

const k = 10;
/** Float32 sums in another order differ in the last bits. */
const tolerance = 1e-5;

/** Mean recall@10 by space over the items that have a vector there. @throws NighError CLOSED, ABORTED */
export async function canaryRecall(
  collection: ServedCollection,
  items: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const recalls = new Map<string, number>();
  for (const { name: space } of collection.info.spaces) {
    let sum = 0;
    let asked = 0;
    for (const item of items) {
      await turn();
      const options: QueryOptions = { k, space, ...(signal === undefined ? {} : { signal }) };
      const recall = await recallOf(collection, item, options);
      if (recall === undefined) continue;
      sum += recall;
      asked += 1;
    }
    if (asked > 0) recalls.set(space, sum / asked);
  }
  return recalls;
}

async function recallOf(
  collection: ServedCollection,
  item: string,
  options: QueryOptions,
): Promise<number | undefined> {
  const [found, truth] = await Promise.all([
    answerOrNone(collection, item, options),
    answerOrNone(collection, item, { ...options, exact: true }),
  ]);
  const farthest = truth?.results.at(-1)?.score;
  if (found === undefined || truth === undefined || farthest === undefined) return undefined;
  const limit = farthest - tolerance * Math.max(1, Math.abs(farthest));
  const near = found.results.filter(({ score }) => score >= limit).length;
  return Math.min(1, near / truth.results.length);
}

/** Mean share of an item's ten that two generations of a collection have in common; 1 where nothing can be compared. */
export async function overlap(
  old: ServedCollection,
  next: ServedCollection,
  items: readonly string[],
): Promise<number> {
  let sum = 0;
  let asked = 0;
  for (const item of items) {
    await turn();
    const before = await answerOrNone(old, item, { k });
    if (before === undefined || before.results.length === 0) continue;
    const after = await answerOrNone(next, item, { k });
    const ids = new Set(after?.results.map(({ id }) => id));
    sum += before.results.filter(({ id }) => ids.has(id)).length / before.results.length;
    asked += 1;
  }
  return asked === 0 ? 1 : sum / asked;
}

/** Undefined for an item that is not there any more, or has no vector. */
async function answerOrNone(
  collection: ServedCollection,
  item: string,
  options: QueryOptions,
): Promise<Answer | undefined> {
  try {
    return await collection.similarItems(item, options);
  } catch (error) {
    if (error instanceof NighError && (error.code === 'UNKNOWN_ITEM' || error.code === 'NO_VECTOR')) return undefined;
    throw error;
  }
}
