/** Somebody of whom nothing is known, and popularity over the whole catalogue. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { seeded } from '../embeddings/support.js';

const [users, items] = [120, 400];

/** Low items are rated by many, and every fifth is rated well. */
function ratings(): { user: string; item: string; stars: number }[] {
  const random = seeded(4);
  const all: { user: string; item: string; stars: number }[] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < items - 3; i++) {
      if (random() > 25 / (40 + i) / (u % 4 === i % 4 ? 1 : 3)) continue;
      all.push({
        user: `u${u}`,
        item: `i${i}`,
        stars: i % 5 === 0 ? 4 + Math.floor(random() * 2) : 1 + Math.floor(random() * 5),
      });
    }
  }
  return all;
}

const given = ratings();
const counts = Array.from({ length: items }, (_, i) => given.filter(({ item }) => item === `i${i}`).length);
const most = Math.max(...counts);
const numberOf = (id: string) => Number(id.slice(1));

let directory: string;
/** Values are ratings, and `cf` has the dimension of popularity. */
let rated: Retriever;
/** Values say nothing, and `cf` has no such dimension. */
let chosen: Retriever;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-newcomers-'));
  const lines = (name: string, records: readonly object[]) =>
    writeFile(join(directory, name), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  await lines(
    'items.jsonl',
    Array.from({ length: items }, (_, i) => ({ id: `i${i}`, title: `item ${i}`, kind: i % 4 === 0 ? 'a' : 'b' })),
  );
  await lines('ratings.jsonl', given);
  const build = async (name: string, changes: object, cf: object) => {
    const recipe = {
      name,
      dataset: {
        source: 'jsonl',
        items: { path: 'items.jsonl', id: 'id', title: 'title', columns: { kind: { type: 'text' } } },
        interactions: { path: 'ratings.jsonl', user: 'user', item: 'item', value: 'stars' },
      },
      ...changes,
      spaces: { cf: { embedding: 'als', factors: 8, ...cf } },
    };
    await buildCollection(parseRecipe(JSON.stringify(recipe), directory), join(directory, name), { threads: 1 });
    return Retriever.open(join(directory, name));
  };
  rated = await build('rated', { taste: { neutral: 3 } }, { popularity: true, minValue: 3 });
  chosen = await build('chosen', {}, {});
});

afterAll(async () => {
  await rated.close();
  await chosen.close();
  await rm(directory, { recursive: true, force: true });
});

describe('somebody without a pick', () => {
  it('gets what is rated highest, by the weighted rating, where values are ratings', async () => {
    const { results, stats } = await rated.recommendFor([], { k: items });
    expect(stats).toMatchObject({ space: 'weightedRating', fallback: { to: 'weightedRating', passedOver: [] } });
    const total = given.reduce((sum, { stars }) => sum + stars, 0);
    const [mean, trust] = [total / given.length, given.length / items];
    const expected = counts.map((v, i) => {
      const sum = given.filter(({ item }) => item === `i${i}`).reduce((all, { stars }) => all + stars, 0);
      return v === 0 ? mean : (v / (v + trust)) * (sum / v) + (trust / (v + trust)) * mean;
    });
    expect(results).toHaveLength(items);
    for (const { id, score, likeness } of results) {
      expect(score).toBeCloseTo(expected[numberOf(id)]!, 5);
      expect(likeness).toBeCloseTo((score - 1) / 4, 6);
    }
    const scores = results.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    // Not what most people have.
    expect(results.slice(0, 10).every(({ id }) => numberOf(id) % 5 === 0)).toBe(true);
  });

  it('gets what most people have where values say nothing', async () => {
    const { results, stats } = await chosen.recommendFor([], { k: 20 });
    expect(stats).toMatchObject({ space: 'popularity', fallback: { to: 'popularity', passedOver: [] } });
    expect(results.map(({ score }) => score)).toEqual(
      [...counts]
        .sort((a, b) => b - a)
        .slice(0, 20)
        .map((count) => count / most),
    );
  });

  it('may have conditions, and another order', async () => {
    const { results } = await rated.recommendFor([], { k: 20, where: 'kind = a', deny: ['i0'], popularity: 1 });
    expect(results).toHaveLength(20);
    for (const { id } of results) expect(numberOf(id) % 4).toBe(0);
    expect(results.map(({ id }) => id)).not.toContain('i0');
    await expect(rated.recommendFor([], { fallback: false })).rejects.toMatchObject({ code: 'NO_VECTOR' });
    await expect(rated.recommendFor([], { space: 'cf' })).rejects.toMatchObject({ code: 'NO_VECTOR' });
    const named = await rated.recommendFor([], { space: 'cf', fallback: true });
    expect(named.stats.space).toBe('weightedRating');
  });

  it('may be a user whom the collection does not know, if that is asked for', async () => {
    await expect(rated.recommend('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_USER' });
    const { results, stats } = await rated.recommend('nobody', { fallback: true });
    expect(stats.fallback).toEqual({ to: 'weightedRating', passedOver: [] });
    expect(results).toEqual((await rated.recommendFor([])).results);
    expect((await rated.recommend('u1', { fallback: true })).stats.space).toBe('cf');
  });
});

describe('popularity over the whole catalogue', () => {
  const meanCount = (ids: readonly string[]) => ids.reduce((sum, id) => sum + counts[numberOf(id)]!, 0) / ids.length;

  it.each([-1, -0.4, 0.3, 1])(
    '%f puts the best of the catalogue first, as if all were re-scored',
    async (popularity) => {
      for (const user of ['u0', 'u17', 'u101']) {
        const k = 10;
        const { results: all } = await rated.recommend(user, { k: items, exact: true });
        const range = all[0]!.score - all[4 * k - 1]!.score;
        const value = (id: string, score: number) =>
          score / range + (popularity * Math.log1p(counts[numberOf(id)]!)) / Math.log1p(most);
        const expected = all
          .map(({ id, score }) => ({ id, score, value: value(id, score) }))
          .sort((a, b) => b.value - a.value)
          .slice(0, k);
        const { results } = await rated.recommend(user, { k, popularity, exact: true });
        expect(results.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        results.forEach(({ score }, at) => {
          expect(score).toBeCloseTo(expected[at]!.score, 5);
        });
        // Through the graph as well.
        const { results: found } = await rated.recommend(user, { k, popularity });
        expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      }
    },
  );

  it('of 0 changes nothing, and raises or damps what many people have', async () => {
    const taken = new Map<number, number>();
    for (const popularity of [-1, 0, 1]) {
      let sum = 0;
      for (let u = 0; u < 30; u++) {
        const { results } = await rated.recommend(`u${u}`, { k: 10, popularity });
        if (popularity === 0) expect(results).toEqual((await rated.recommend(`u${u}`, { k: 10 })).results);
        sum += meanCount(results.map(({ id }) => id));
      }
      taken.set(popularity, sum / 30);
    }
    expect(taken.get(1)!).toBeGreaterThan(taken.get(0)! * 1.1);
    expect(taken.get(-1)!).toBeLessThan(taken.get(0)! * 0.9);
  });

  it('goes together with conditions, diversity and a least score', async () => {
    const { results: plain } = await rated.recommend('u5', { k: items, exact: true });
    const minScore = plain[60]!.score;
    const options = { k: 8, popularity: 0.8, diversity: 0.3, where: 'kind = b', minScore, explain: true };
    const { results } = await rated.recommend('u5', options);
    expect(results).toHaveLength(8);
    for (const { id, score, explanation } of results) {
      expect(numberOf(id) % 4).not.toBe(0);
      expect(score).toBeGreaterThanOrEqual(minScore);
      const { popularity } = explanation!.adjustments!;
      expect(popularity).toBeCloseTo((0.8 * Math.log1p(counts[numberOf(id)]!)) / Math.log1p(most), 6);
    }
    const many = await rated.recommend('u5', { k: items, popularity: 1, minScore });
    expect(many.results).toHaveLength(plain.filter(({ score }) => score >= minScore).length);
  });

  it('is told of the space, and reaches newcomers', async () => {
    expect(rated.info.spaces[0]!.popularity!.scale).toBeGreaterThan(0);
    expect(chosen.info.spaces[0]).not.toHaveProperty('popularity');
    const picks = [{ item: 'i201' }, { item: 'i205' }, { item: 'i305' }];
    const [rare, common] = await Promise.all(
      [-1, 1].map(async (popularity) => (await rated.recommendFor(picks, { popularity })).results.map(({ id }) => id)),
    );
    expect(meanCount(rare!)).toBeLessThan(meanCount(common!));
  });
});
