/**
 * How good one user's list is. A list holds item ordinals, best first, without the items that the user had already; `relevant` holds the
 * held-out ones. A table is the mean over users that have something relevant; the others are counted apart.
 *
 * Definitions (Herlocker, Konstan, Terveen and Riedl, "Evaluating collaborative filtering recommender systems", TOIS 2004; NDCG by
 * Järvelin and Kekäläinen, TOIS 2002, with binary gains; ARHR by Deshpande and Karypis, TOIS 2004):
 *
 *   hit        1 if the first k hold a relevant item
 *   ARHR       Σ over the relevant items among the first k of 1 / rank
 *   MRR        1 / rank of the first relevant item among the first k
 *   precision  relevant among the first k / k
 *   recall     relevant among the first k / relevant; by `capped`, / min(k, relevant), as some papers do
 *   NDCG       Σ 1 / log2(rank + 1) over the relevant among the first k, over the same sum of a perfect list of k
 *   uncut NDCG the same over the sum of a perfect list of all relevant, however long: what the evaluator of Ferrari Dacrema et al. (TOIS
 *              2021) prints as NDCG@k. With one relevant item both are the same
 *   AP         Σ over the relevant among the first k of precision at its rank / min(k, relevant)
 */

/** Which of the first k of a list are relevant: rank 1 is the first. Ascending. */
export function hitRanks(list: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number[] {
  const ranks: number[] = [];
  for (let at = 0; at < Math.min(k, list.length); at++) if (relevant.has(list[at]!)) ranks.push(at + 1);
  return ranks;
}

export const hitRate = (ranks: readonly number[]): number => (ranks.length > 0 ? 1 : 0);

export const reciprocalHitRank = (ranks: readonly number[]): number => ranks.reduce((sum, rank) => sum + 1 / rank, 0);

export const reciprocalRank = (ranks: readonly number[]): number => (ranks[0] === undefined ? 0 : 1 / ranks[0]);

export const precision = (ranks: readonly number[], k: number): number => ranks.length / k;

export const recall = (ranks: readonly number[], relevant: number): number => ranks.length / relevant;

export const cappedRecall = (ranks: readonly number[], relevant: number, k: number): number =>
  ranks.length / Math.min(k, relevant);

/** 1 / log2(rank + 1): what a relevant item adds to DCG. */
export const gainAt = (rank: number): number => 1 / Math.log2(rank + 1);

/** DCG of the best possible list of so many places. */
export function idealGain(places: number): number {
  let sum = 0;
  for (let rank = 1; rank <= places; rank++) sum += gainAt(rank);
  return sum;
}

export function ndcg(ranks: readonly number[], relevant: number, k: number): number {
  return ranks.reduce((sum, rank) => sum + gainAt(rank), 0) / idealGain(Math.min(k, relevant));
}

export function uncutNdcg(ranks: readonly number[], relevant: number): number {
  return ranks.reduce((sum, rank) => sum + gainAt(rank), 0) / idealGain(relevant);
}

export function averagePrecision(ranks: readonly number[], relevant: number, k: number): number {
  return ranks.reduce((sum, rank, hits) => sum + (hits + 1) / rank, 0) / Math.min(k, relevant);
}

/**
 * The share of pairs (relevant, other) that the scores put in the right order; a tie counts half. NaN unless there are some of both.
 * O(others · log relevant): every other item finds its place among the relevant ones.
 * @param relevant items asked for that the user did not have
 * @param others the other items that the user did not have
 */
export function areaUnderCurve(
  scores: ArrayLike<number>,
  relevant: ArrayLike<number>,
  others: ArrayLike<number>,
): number {
  const sorted = new Float64Array(relevant.length);
  for (let at = 0; at < relevant.length; at++) sorted[at] = scores[relevant[at]!]!;
  sorted.sort();
  let inOrder = 0;
  for (let at = 0; at < others.length; at++) {
    const score = scores[others[at]!]!;
    inOrder += sorted.length - (firstNotBelow(sorted, score) + firstAbove(sorted, score)) / 2;
  }
  return inOrder / (sorted.length * others.length);
}

/** How many of the ascending values are below. */
function firstNotBelow(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of the ascending values are not above. */
function firstAbove(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
