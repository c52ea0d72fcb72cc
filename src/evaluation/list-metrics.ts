/**
 * What lists are like beside being right. A list holds item ordinals, best first.
 *
 *   catalogue coverage   items in any list / items that may be recommended (Ge, Delgado and Jannach, RecSys 2010)
 *   user coverage        users with a full list of k / users asked
 *   diversity            1 − mean pairwise similarity of a list; mean over lists of two items and more
 *   novelty              mean popularity rank of what is recommended: 1 is the most popular item of training (ties by ordinal)
 *   Gini                 inequality of how often items are recommended: 0 all alike, towards 1 always the same
 *   churn                1 − share of a list that is in the list after it too, at the same k
 *   cumulative hit rate  hits on items whose held-out value is at least a threshold / users who hold such an item out
 *   rating hit rate      the same for every held-out value by itself
 */
import type { CsrMatrix } from '../core/csr-matrix.js';
import { invalidArgument } from '../core/errors.js';
import { countByBits, countByMerging } from './common-columns.js';

export type Lists = readonly ArrayLike<number>[];

/** @param recommendable how many items may be recommended */
export function catalogueCoverage(lists: Lists, recommendable: number): number {
  const seen = new Set<number>();
  for (const list of lists) for (let at = 0; at < list.length; at++) seen.add(list[at]!);
  return seen.size / recommendable;
}

export function userCoverage(lists: Lists, k: number): number {
  return lists.filter((list) => list.length >= k).length / lists.length;
}

/** NaN where no list holds two items. */
export function diversity(lists: Lists, similarity: (a: number, b: number) => number): number {
  let sum = 0;
  let counted = 0;
  for (const list of lists) {
    if (list.length < 2) continue;
    let likeness = 0;
    for (let a = 0; a < list.length; a++)
      for (let b = a + 1; b < list.length; b++) likeness += similarity(list[a]!, list[b]!);
    sum += 1 - likeness / ((list.length * (list.length - 1)) / 2);
    counted++;
  }
  return sum / counted;
}

/** Bits for every pair of user and item up to so many bytes; beyond, lists are merged. */
const mostBitBytes = 2 ** 27;

/** Cosine of the users who have two items, whatever the values: Σ both / √(n_a · n_b). */
export function coOccurrence(train: CsrMatrix): (a: number, b: number) => number {
  const byItem = train.transpose();
  const words = Math.ceil(train.rows / 32);
  const both = words * 4 * train.cols <= mostBitBytes ? countByBits(byItem, words) : countByMerging(byItem);
  // Lists of many users hold the same pairs.
  const known = new Map<number, number>();
  const { offsets } = byItem;
  const cosine = (a: number, b: number) => {
    const sizes = (offsets[a + 1]! - offsets[a]!) * (offsets[b + 1]! - offsets[b]!);
    return sizes === 0 ? 0 : both(a, b) / Math.sqrt(sizes);
  };
  return (a, b) => {
    const pair = Math.min(a, b) * train.cols + Math.max(a, b);
    const found = known.get(pair) ?? cosine(a, b);
    known.set(pair, found);
    return found;
  };
}

/** By item: 1 for the item with the most interactions, ties by ordinal. */
export function popularityRanks(train: CsrMatrix): Uint32Array {
  const counts = train.columnCounts();
  const order = Uint32Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b);
  const ranks = new Uint32Array(train.cols);
  order.forEach((item, at) => {
    ranks[item] = at + 1;
  });
  return ranks;
}

/** NaN where nothing was recommended. */
export function novelty(lists: Lists, ranks: ArrayLike<number>): number {
  let sum = 0;
  let places = 0;
  for (const list of lists) {
    for (let at = 0; at < list.length; at++) sum += ranks[list[at]!]!;
    places += list.length;
  }
  return sum / places;
}

/** @param recommendable the items that may be recommended; those that never are count as 0. NaN where nothing was recommended. */
export function gini(lists: Lists, recommendable: number): number {
  const counts = new Map<number, number>();
  for (const list of lists)
    for (let at = 0; at < list.length; at++) counts.set(list[at]!, (counts.get(list[at]!) ?? 0) + 1);
  const sorted = [...counts.values()].sort((a, b) => a - b);
  const absent = recommendable - sorted.length;
  let weighted = 0;
  let total = 0;
  sorted.forEach((count, at) => {
    weighted += (2 * (absent + at + 1) - recommendable - 1) * count;
    total += count;
  });
  return weighted / (recommendable * total);
}

/**
 * @param before one list a user
 * @param after the same users' later lists
 * @throws NighError INVALID_ARGUMENT when the numbers of lists differ
 */
export function churn(before: Lists, after: Lists, k: number): number {
  if (after.length !== before.length) throw invalidArgument('after', `${before.length} lists`, after);
  let sum = 0;
  before.forEach((list, at) => {
    const next = new Set(Array.from(after[at]!).slice(0, k));
    const kept = Array.from(list)
      .slice(0, k)
      .filter((item) => next.has(item)).length;
    sum += 1 - kept / k;
  });
  return sum / before.length;
}

/** A held-out interaction, and whether it was among the first k of its user's list. */
export interface Outcome {
  readonly user: number;
  readonly value: number;
  readonly hit: boolean;
}

/** NaN where nobody holds out a value of at least `threshold`. */
export function cumulativeHitRate(outcomes: readonly Outcome[], threshold: number): number {
  return shareOfUsersHit(outcomes.filter(({ value }) => value >= threshold));
}

/** Ascending by value. */
export function ratingHitRates(outcomes: readonly Outcome[]): { value: number; hitRate: number; users: number }[] {
  const values = [...new Set(outcomes.map(({ value }) => value))].sort((a, b) => a - b);
  return values.map((value) => {
    const alike = outcomes.filter((outcome) => outcome.value === value);
    return { value, hitRate: shareOfUsersHit(alike), users: new Set(alike.map(({ user }) => user)).size };
  });
}

function shareOfUsersHit(outcomes: readonly Outcome[]): number {
  const users = new Set(outcomes.map(({ user }) => user));
  const hit = new Set(outcomes.filter((outcome) => outcome.hit).map(({ user }) => user));
  return hit.size / users.size;
}
