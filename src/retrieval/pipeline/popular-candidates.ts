/**
 * Candidates of a question that damps or raises what is popular, over the whole catalogue where the vectors of the space have a dimension for it
 * (embeddings/popularity.ts).
 *
 * Re-ranking orders by (score − best) / range + popularity · ln(1 + n) / ln(1 + most), with the range of the pool (adjustments.ts). That is the
 * order of score + β · ln(1 + n), β = popularity · range / ln(1 + most), which the index can search for:
 *
 * 1. The best by score, as without popularity; they tell the range.
 * 2. The best by score + β · ln(1 + n).
 * 3. Both together, each with its own score. All of them compete, so the places go to the best of the catalogue.
 */
import { askingPopularity } from '../../embeddings/popularity.js';
import type { SearchSource } from '../questions/sources.js';
import { searchCandidates } from './candidates.js';
import { eligible, poolOf } from './reranking.js';
import { scoresOf } from './scoring.js';
import type { Candidates, Request } from './stages.js';

/** @throws NighError ABORTED, CLOSED, INVALID_ARGUMENT, DIMENSION_MISMATCH, UNSUPPORTED */
export async function proposeCandidates(request: Request, count: number): Promise<readonly Candidates[]> {
  const found = await searchCandidates(request, count);
  const source = popularitySource(request);
  const [plain] = found;
  return source === undefined || plain === undefined ? found : [await withPopular(request, source, plain, count)];
}

/** The only source, where it knows popularity and is asked for it. Of several the scores are blended, and none has a β of its own. */
function popularitySource({ query, sources }: Request): SearchSource | undefined {
  const [source] = sources;
  if (query.popularity === 0 || query.fusion !== 'sum' || sources.length !== 1 || source?.kind !== 'search') return;
  const { space, index } = source;
  return space.popularity !== undefined && index === space.forUsers ? source : undefined;
}

async function withPopular(
  request: Request,
  source: SearchSource,
  plain: Candidates,
  count: number,
): Promise<Candidates> {
  const { query, collection } = request;
  const pool = Math.min(eligible(plain, query.minScore), poolOf(query));
  const range = pool === 0 ? 0 : plain.scores[0]! - plain.scores[pool - 1]!;
  // Where all score alike, no popularity is worth a score.
  if (plain.complete || range === 0) return { ...plain, allCompete: true };
  const beta = (query.popularity * range) / Math.log1p(Math.max(1, collection.seen.mostPopular));
  const vector = askingPopularity(source.vector, source.space.popularity!, beta);
  const [popular] = await searchCandidates({ ...request, sources: [{ ...source, vector }] }, count);
  const { items, stats } = popular!;
  const known = new Map(Array.from(plain.items, (item, at) => [item, plain.scores[at]!]));
  const others = items.filter((item) => !known.has(item));
  for (const [item, score] of await scoresOf(source, others, query.signal)) known.set(item, score);
  const all = [...known].sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || a - b);
  return {
    source,
    items: Uint32Array.from(all, ([item]) => item),
    scores: Float64Array.from(all, ([, score]) => score),
    complete: false,
    allCompete: true,
    stats: {
      ...plain.stats,
      visited: plain.stats.visited + stats.visited,
      distances: plain.stats.distances + stats.distances + others.length,
    },
  };
}
