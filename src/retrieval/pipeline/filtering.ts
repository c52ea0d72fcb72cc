/**
 * Filtering: what is returned of what was ranked. Nearly all of it was done inside the search, where it costs least and takes no place from others;
 * here the promise is kept whatever the stages before did, and the minimum score is applied.
 */
import type { Ranked, Request, Scored } from './stages.js';

export async function keepAllowed(
  { query: { k, minScore }, filter }: Request,
  { items, scores }: Scored,
  { order }: Ranked,
): Promise<Uint32Array> {
  const kept: number[] = [];
  const returned = new Set<number>();
  for (const p of order) {
    if (kept.length === k) break;
    const item = items[p]!;
    if (returned.has(item) || !filter.allows(item) || !scoresEnough(scores[p]!, minScore)) continue;
    returned.add(item);
    kept.push(p);
  }
  return Uint32Array.from(kept);
}

export function scoresEnough(score: number, minScore: number | undefined): boolean {
  return minScore === undefined || score >= minScore;
}
