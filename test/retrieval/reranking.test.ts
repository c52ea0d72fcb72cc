import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { defaultStages } from '../../src/retrieval/pipeline/answer.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import type { Answer, QueryOptions } from '../../src/retrieval/types.js';
import { itemIds, likes, smallRecipe, writeSmallWorld } from './support/small-world.js';

let directory: string;
let world: Retriever;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-reranking-'));
  await writeSmallWorld(directory);
  await buildCollection(smallRecipe(directory), join(directory, 'world'));
  world = await Retriever.open(join(directory, 'world'));
});

afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

const ids = ({ results }: Answer) => results.map(({ id }) => id);
const asked = itemIds.filter((id) => !/^(lonely|mute)/.test(id)).filter((_, n) => n % 4 === 0);

/** Mean of 1 − likeness over the pairs of a list. */
async function distanceWithin(list: readonly string[], space: string): Promise<number> {
  let sum = 0;
  let pairs = 0;
  for (const id of list) {
    const { results } = await world.similarItems(id, { space, k: 200, exact: true, allow: list });
    for (const { score } of results) {
      sum += 1 - score;
      pairs++;
    }
  }
  return sum / pairs;
}

describe('diversity', () => {
  it('of 0 changes nothing', async () => {
    for (const item of asked.slice(0, 5)) {
      const plain = await world.similarItems(item, { k: 12 });
      expect((await world.similarItems(item, { k: 12, diversity: 0 })).results).toEqual(plain.results);
    }
  });

  it.each(['text', 'cf'])('keeps results of %s further apart the larger it is', async (space) => {
    const distances: number[] = [];
    for (const diversity of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      let sum = 0;
      for (const item of asked) {
        const answer = await world.similarItems(item, { k: 8, space, diversity, exact: true });
        expect(answer.results).toHaveLength(8);
        sum += await distanceWithin(ids(answer), space);
      }
      distances.push(sum / asked.length);
    }
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
    expect(distances.at(-1)! - distances[0]!).toBeGreaterThan(0.05);
  });

  it('gives places among four times as many of an exact answer too, which scores everything', async () => {
    const weights = { cf: 1, text: 1 };
    for (const item of asked.slice(0, 8)) {
      const first = ids(await world.similarItems(item, { k: 20, weights, exact: true }));
      const options = { k: 5, weights, diversity: 0.6, popularity: -0.2, exact: true, explain: true };
      const { results, explanation } = await world.similarItems(item, options);
      expect(results.every(({ id }) => first.includes(id))).toBe(true);
      expect(explanation!.candidates).toBeGreaterThan(115);
      for (const { explanation: why } of results) expect(why!.adjustments!.relevance).toBeGreaterThanOrEqual(0);
    }
  });

  it('keeps the best result, and takes the rest from four times as many', async () => {
    const plain = await world.similarItems('opera-3', { k: 40, space: 'text', exact: true });
    const diverse = await world.similarItems('opera-3', { k: 10, space: 'text', exact: true, diversity: 0.7 });
    expect(ids(diverse)[0]).toBe(ids(plain)[0]);
    expect(ids(diverse).every((id) => ids(plain).includes(id))).toBe(true);
    expect(ids(diverse)).not.toEqual(ids(plain).slice(0, 10));
  });
});

describe('groups, popularity, boosts, recency and exploration', () => {
  it('gives a group no more than its places, and fills up from the others', async () => {
    const answer = await world.similarItems('opera-3', {
      k: 12,
      space: 'text',
      perGroup: { attribute: 'genres', most: 3 },
    });
    expect(answer.results).toHaveLength(12);
    const counts = new Map<string, number>();
    for (const { attributes } of answer.results) {
      const [genre] = (attributes.genres ?? []) as string[];
      if (genre !== undefined) counts.set(genre, (counts.get(genre) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([3, 3, 3, 3].slice(0, counts.size));
    const few = await world.similarItems('opera-3', {
      k: 100,
      space: 'text',
      perGroup: { attribute: 'genres', most: 2 },
    });
    expect(few.results).toHaveLength(4 * 2 + 2); // four genres, and two lonely items without one
  });

  it('says who was crowded out', async () => {
    const plain = await world.similarItems('opera-3', { k: 10, space: 'text', exact: true });
    const answer = await world.similarItems('opera-3', {
      k: 10,
      space: 'text',
      exact: true,
      perGroup: { attribute: 'genres', most: 2 },
      explain: true,
    });
    const kept = ids(answer);
    const lost = ids(plain).filter((id) => !kept.includes(id));
    expect(answer.explanation!.filtered.map(({ id, because }) => [id, because])).toEqual(
      lost.map((id) => [id, 'perGroup']),
    );
    expect(lost.length).toBeGreaterThan(3);
  });

  it('damps and raises what is popular', async () => {
    const popularity = async (by: number) => {
      const { results } = await world.similarItems('river-3', { k: 6, space: 'cf', popularity: by });
      return results.reduce((sum, { id }) => sum + world.item(id).interactions, 0);
    };
    expect(await popularity(-1)).toBeLessThan(await popularity(0));
    expect(await popularity(1)).toBeGreaterThanOrEqual(await popularity(0));
  });

  it('raises what somebody wants raised, and what is new', async () => {
    const boosted = await world.similarItems('river-3', {
      k: 5,
      space: 'cf',
      boosts: [{ where: 'year >= 1970', by: 1 }],
    });
    expect(boosted.results.filter(({ attributes }) => Number(attributes.year) >= 1970)).toHaveLength(5);
    const years = async (options: QueryOptions) =>
      (await world.similarItems('river-3', { k: 8, space: 'cf', ...options })).results.reduce(
        (sum, { attributes }) => sum + Number(attributes.year),
        0,
      );
    expect(await years({ recency: { attribute: 'year', halfLife: 5, weight: 1 } })).toBeGreaterThan(await years({}));
  });

  it('draws exploration slots by the seed, for the last places', async () => {
    const plain = ids(await world.similarItems('river-3', { k: 10, space: 'cf' }));
    const draw = async (seed: number) =>
      world.similarItems('river-3', { k: 10, space: 'cf', explore: { slots: 2, seed } });
    const one = await draw(1);
    expect(ids(one).slice(0, 8)).toEqual(plain.slice(0, 8));
    expect(one.results.map(({ explored }) => explored === true)).toEqual([...Array(8).fill(false), true, true]);
    expect(ids(await draw(1))).toEqual(ids(one));
    const drawn = new Set<string>();
    for (let seed = 0; seed < 10; seed++) for (const id of ids(await draw(seed)).slice(8)) drawn.add(id);
    expect(drawn.size).toBeGreaterThan(5);
  });

  it.each<[QueryOptions, string, RegExp]>([
    [{ perGroup: { attribute: 'gneres', most: 1 } }, 'UNKNOWN_OPTION', /perGroup\.attribute.*Did you mean "genres"/],
    [{ recency: { attribute: 'genres', halfLife: 1 } }, 'INVALID_ARGUMENT', /recency\.attribute: expected a number/],
    [{ recency: { attribute: 'year', halfLife: 0 } }, 'INVALID_ARGUMENT', /recency\.halfLife/],
    [{ boosts: [{ where: 'year >', by: 1 }] }, 'INVALID_ARGUMENT', /boosts\[0\]\.where: character 7/],
    [{ boosts: [{ where: {}, by: 2 }] }, 'INVALID_ARGUMENT', /boosts\[0\]\.by/],
    [{ diversity: 1.5 }, 'INVALID_ARGUMENT', /diversity: expected a number from 0 to 1/],
    [{ diversity: 0.5, k: 2000 }, 'INVALID_ARGUMENT', /k: expected at most 1000 beside diversity/],
    [{ k: 10_000_000 }, 'INVALID_ARGUMENT', /k:/],
    [{ explore: { slots: 0 } }, 'INVALID_ARGUMENT', /explore\.slots/],
    [{ efSearch: 5, recall: 0.9 }, 'INVALID_ARGUMENT', /only one of efSearch and recall/],
    [{ fusion: 'max' as never }, 'INVALID_ARGUMENT', /fusion/],
    [{ minScore: Number.NaN }, 'INVALID_ARGUMENT', /minScore/],
  ])('refuses %j', async (options, code, message) => {
    await expect(world.similarItems('river-3', options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});

describe('stages', () => {
  it('say how long they took', async () => {
    const { stats } = await world.recommend('user-0-1', { diversity: 0.5, where: 'year > 1955' });
    expect(Object.keys(stats.stages)).toEqual(['question', 'candidates', 'scoring', 'reranking', 'filtering']);
    for (const took of Object.values(stats.stages)) expect(took).toBeGreaterThan(0);
    const sum = Object.values(stats.stages).reduce((all, took) => all + took, 0);
    expect(stats.tookMs).toBeGreaterThanOrEqual(sum * 0.999);
  });

  it('can be replaced one by one, and what may not be returned still is not', async () => {
    const seen: string[] = [];
    await using own = await Retriever.open(join(directory, 'world'), {
      stages: {
        candidates: async (request, count) => {
          seen.push(`${request.sources.map(({ name }) => name)} ${count}`);
          // Forgets every filter.
          const { filter: _, ...rest } = request;
          return defaultStages.candidates({ ...rest, filter: { searchIds: undefined, dropped: [] } as never }, count);
        },
        reranking: async (request, scored) => {
          const { order } = await defaultStages.reranking(request, scored);
          return { order: order.toReversed() };
        },
      },
    });
    const plain = ids(await world.recommend('user-0-1', { k: 200, where: 'year > 1955' }));
    const answer = await own.recommend('user-0-1', { k: 200, where: 'year > 1955' });
    expect(ids(answer)).toEqual(plain.toReversed());
    expect(ids(answer).some((id) => likes.get('user-0-1')!.includes(id))).toBe(false);
    expect(seen[0]).toBe('cf 200');
    const diverse = await own.recommend('user-0-1', { k: 10, diversity: 0.5, where: 'year > 1955' });
    expect(diverse.results).toHaveLength(10);
    expect(diverse.results.every(({ id }) => plain.includes(id))).toBe(true);
    await expect(
      Retriever.open(join(directory, 'world'), { stages: { rerank: () => [] } as never }),
    ).rejects.toMatchObject({ code: 'UNKNOWN_OPTION', message: expect.stringContaining('reranking') });
  });
});
