/** Why an answer is what it is: computed beside it, for those who ask. */
import { IdSet } from '../../index/id-set.js';
import type { Part } from '../questions/part.js';
import { likedItems } from '../questions/parts.js';
import type { AnswerExplanation, FilteredItem, NearestItem, ResultExplanation } from '../types.js';
import { scoreOf } from './candidates.js';
import { scoresEnough } from './filtering.js';
import { scoresOf } from './scoring.js';
import { notProposed, type Ranked, type Request, type Scored } from './stages.js';

/** How many of somebody's items a result is compared with: the last of their past. */
const longestPast = 1000;
const nearestShown = 3;
const mostFiltered = 100;

/** One for every position. @throws NighError ABORTED, CLOSED */
export async function explainResults(
  request: Request,
  parts: readonly Part[],
  scored: Scored,
  ranked: Ranked,
  positions: Uint32Array,
): Promise<ResultExplanation[]> {
  const items = Uint32Array.from(positions, (p) => scored.items[p]!);
  const bySpace = await scoresBySpace(request, parts, items);
  const nearest = await nearestItems(request, parts, items);
  return Array.from(positions, (p, at) => {
    const item = items[at]!;
    const adjustments = ranked.adjustments?.get(p);
    return {
      sources: request.sources.flatMap((source, s) => {
        const rank = scored.ranks[s]![p]!;
        const part = source.kind === 'search' ? { part: source.part } : {};
        return rank === notProposed
          ? []
          : [{ source: source.name, ...part, rank: rank + 1, score: scored.bySource[s]![p]! }];
      }),
      scores: Object.fromEntries(
        [...bySpace].flatMap(([name, scores]) => (scores.has(item) ? [[name, scores.get(item)!]] : [])),
      ),
      nearest: nearest[at]!,
      ...(adjustments === undefined ? {} : { adjustments }),
    };
  });
}

/** The scores of the items in every space that has a vector for the question; where several parts have one there, the mean. */
async function scoresBySpace(
  { collection, query: { signal } }: Request,
  parts: readonly Part[],
  items: Uint32Array,
): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
  const distinct = Uint32Array.from(new Set(items));
  const bySpace = new Map<string, Map<number, number>>();
  for (const space of collection.spaces) {
    const probes = (await Promise.all(parts.map((part) => part.probe(space)))).filter((probe) => probe !== undefined);
    const means = new Map<number, number>();
    for (const probe of probes) {
      for (const [item, score] of await scoresOf(probe, distinct, signal)) {
        means.set(item, (means.get(item) ?? 0) + score / probes.length);
      }
    }
    if (means.size > 0) bySpace.set(space.name, means);
  }
  return bySpace;
}

/** Which of the items that somebody liked each result is most like, in the first space that compares them. */
async function nearestItems(
  { collection, sources, query: { signal } }: Request,
  parts: readonly Part[],
  items: Uint32Array,
): Promise<NearestItem[][]> {
  const liked = parts.flatMap((part) => (part.kind === 'item' ? [] : [...likedItems(part.items).slice(-longestPast)]));
  const [first] = sources;
  const space = first?.kind === 'search' ? first.space : collection.spaces[0];
  if (liked.length === 0 || space === undefined) return Array.from(items, () => []);
  const { catalogue } = collection;
  return Promise.all(
    Array.from(items, async (item) => {
      const others = Uint32Array.from(new Set(liked.filter((other) => other !== item)));
      const vector = await space.itemVector(item);
      if (vector === undefined || others.length === 0) return [];
      const { ids, distances } = await space.similar.search(vector, nearestShown, {
        filter: IdSet.allow(others),
        exact: true,
        ...(signal === undefined ? {} : { signal }),
      });
      return Array.from(ids, (other, i) => ({
        id: catalogue.id(other),
        title: catalogue.title(other),
        likeness: scoreOf(space.similar, distances[i]!),
      }));
    }),
  );
}

/** What would have been among the first k of a source if it were allowed, and why it is not. @throws NighError ABORTED, CLOSED */
export async function explainAnswer(request: Request, scored: Scored, ranked: Ranked): Promise<AnswerExplanation> {
  const { collection, query, filter, sources } = request;
  const { catalogue } = collection;
  const filtered = new Map<number, FilteredItem>();
  const add = (item: number, source: string, score: number, because: FilteredItem['because']) => {
    if (filtered.has(item) || filtered.size === mostFiltered) return;
    filtered.set(item, { id: catalogue.id(item), title: catalogue.title(item), source, score, because });
  };
  const refused = filter.ids?.not();
  for (const source of sources) {
    if (source.kind === 'listed' || refused === undefined) continue;
    const { ids, distances } = await source.index.search(source.vector, query.k, {
      filter: refused,
      ...(query.signal === undefined ? {} : { signal: query.signal }),
    });
    ids.forEach((item, at) => {
      const because = filter.reasonAgainst(item);
      if (because !== undefined && because !== 'asked')
        add(item, source.name, scoreOf(source.index, distances[at]!), because);
    });
  }
  const whole = [...new Set(sources.map(({ name }) => name))].join('+');
  const last = Math.min(query.k, scored.items.length);
  for (let p = 0; p < last; p++) {
    if (!scoresEnough(scored.scores[p]!, query.minScore)) add(scored.items[p]!, whole, scored.scores[p]!, 'minScore');
  }
  for (const p of ranked.crowdedOut ?? []) add(scored.items[p]!, whole, scored.scores[p]!, 'perGroup');
  return { filtered: [...filtered.values()], candidates: scored.items.length };
}
