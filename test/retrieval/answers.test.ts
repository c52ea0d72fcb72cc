/** Whole requests on random catalogues, beside an oracle that compares everything with everything. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Where } from '../../src/retrieval/filters/predicate.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import type { Answer, RecommendOptions } from '../../src/retrieval/types.js';
import { cosine, dot, meets, type RandomItem, type RandomWorld, randomWorld } from './support/random-world.js';

interface Opened {
  readonly world: RandomWorld;
  readonly retriever: Retriever;
}

let directory: string;
const worlds: Opened[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-answers-'));
  for (const [at, engine] of (['flat', 'hnsw', 'hnswlib', 'hnsw'] as const).entries()) {
    const folder = await mkdtemp(join(directory, 'world-'));
    const world = await randomWorld(folder, 7 + at, engine);
    worlds.push({ world, retriever: await Retriever.open(world.directory) });
  }
});

afterAll(async () => {
  for (const { retriever } of worlds) await retriever.close();
  await rm(directory, { recursive: true, force: true });
});

const tag = fc.constantFrom('red', 'blue', 'old', 'new', 'odd', 'unheard of');
const year = fc.integer({ min: 1975, max: 2025 });
const condition = fc.oneof(
  fc.record({ year: fc.oneof(year, fc.array(year, { maxLength: 3 })) }),
  fc.record({
    year: fc.record({ gte: year, lt: year, ne: year, exists: fc.boolean() }, { requiredKeys: ['gte'] }),
  }),
  fc.record({
    kind: fc.oneof(fc.constantFrom('book', 'film'), fc.record({ startsWith: fc.constantFrom('f', 'so', '') })),
  }),
  fc.record({ kind: fc.record({ ne: fc.constantFrom('book', 'song') }) }),
  fc.record({
    tags: fc.oneof(tag, fc.array(tag, { maxLength: 3 }), fc.record({ hasAll: fc.array(tag, { maxLength: 3 }) })),
  }),
  fc.record({ tags: fc.record({ exists: fc.boolean() }) }),
);
const where: fc.Arbitrary<Where> = fc.letrec<{ where: Where }>((tie) => ({
  where: fc.oneof(
    { maxDepth: 3 },
    condition as fc.Arbitrary<Where>,
    fc.record({ not: tie('where') }) as fc.Arbitrary<Where>,
    fc.record({ and: fc.array(tie('where'), { maxLength: 2 }) }) as fc.Arbitrary<Where>,
    fc.record({ or: fc.array(tie('where'), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<Where>,
    fc.tuple(condition, condition).map(([a, b]) => ({ ...a, ...b }) as Where),
  ),
})).where;

/** Filters of a request, for a world of any size: fractions become items. */
const filters = fc.record(
  {
    where,
    deny: fc.array(fc.nat(120), { maxLength: 60 }),
    allow: fc.array(fc.nat(120), { maxLength: 120 }),
    hidden: fc.array(fc.nat(120), { maxLength: 20 }),
  },
  { requiredKeys: [] },
);
type Filters = typeof filters extends fc.Arbitrary<infer T> ? T : never;
const opened = fc.nat(3);
const share = fc.double({ min: 0.01, max: 1, noNaN: true });
const names = (list: readonly number[] | undefined) => list?.map((n) => `i${n}`);
const ids = ({ results }: Pick<Answer, 'results'>) => results.map(({ id }) => id);

function passes({ id }: RandomItem, { deny, allow, hidden }: Filters): boolean {
  return (
    !names(deny)?.includes(id) && (allow === undefined || names(allow)!.includes(id)) && !names(hidden)?.includes(id)
  );
}

function allowed(item: RandomItem, filter: Filters): boolean {
  return passes(item, filter) && (filter.where === undefined || meets(item, filter.where));
}

function optionsOf(filter: Filters): RecommendOptions {
  const { where: condition, deny, allow } = filter;
  return {
    ...(condition === undefined ? {} : { where: condition }),
    ...(deny === undefined ? {} : { deny: names(deny)! }),
    ...(allow === undefined ? {} : { allow: names(allow)! }),
  };
}

/** The scores of all items in a space, of those that have it. */
function scoresOf({ items }: RandomWorld, space: string, score: (vector: readonly number[]) => number) {
  return new Map(
    items.flatMap(({ id, vectors }) => (vectors[space] === undefined ? [] : [[id, score(vectors[space]!)] as const])),
  );
}

function expectOrder(answer: Answer, expected: ReadonlyMap<string, number>, k: number): void {
  const best = [...expected].sort(([, a], [, b]) => b - a).slice(0, k);
  expect(answer.results).toHaveLength(best.length);
  expect(new Set(ids(answer)).size).toBe(best.length);
  answer.results.forEach(({ id, score }, at) => {
    // By score rather than by id: float32 sums may swap what is as good as equal.
    expect(score).toBeCloseTo(best[at]![1], 5);
    expect(score).toBeCloseTo(expected.get(id)!, 5);
  });
}

describe('an answer', () => {
  it('holds the best of what may be returned, and min(k, matches) of it, for every filter', async () => {
    await fc.assert(
      fc.asyncProperty(
        opened,
        filters,
        fc.integer({ min: 1, max: 120 }),
        fc.nat(11),
        fc.boolean(),
        async (at, filter, k, u, excludeSeen) => {
          const { world, retriever } = worlds[at]!;
          retriever.hide('test', names(filter.hidden) ?? []);
          const user = `u${u}`;
          const answer = await retriever.recommend(user, {
            ...optionsOf(filter),
            k,
            excludeSeen,
            space: 'taste',
            exact: true,
          });
          const scores = scoresOf(world, 'taste', (vector) => dot(world.userVectors.get(user)!, vector));
          const expected = world.items.filter(
            (item) =>
              scores.has(item.id) &&
              allowed(item, filter) &&
              !(excludeSeen && world.users.get(user)!.includes(item.id)),
          );
          expectOrder(answer, new Map(expected.map(({ id }) => [id, scores.get(id)!])), k);
          const approximate = await retriever.recommend(user, { ...optionsOf(filter), k, excludeSeen, space: 'taste' });
          expect(approximate.results).toHaveLength(Math.min(k, expected.length));
          expect(ids(approximate).every((id) => expected.some((item) => item.id === id))).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('of several spaces is Σ weight · score over all that have one of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        opened,
        filters,
        fc.integer({ min: 1, max: 120 }),
        fc.record({ look: share, taste: share }),
        fc.constantFrom('zero' as const, 'renormalise' as const),
        async (at, filter, k, weights, missing) => {
          const { world, retriever } = worlds[at]!;
          retriever.hide('test', names(filter.hidden) ?? []);
          const asked = world.items.find(({ vectors }) => vectors.look !== undefined && vectors.taste !== undefined)!;
          const options = { ...optionsOf(filter), k, weights, missing };
          const answer = await retriever.similarItems(asked.id, { ...options, exact: true });
          const total = weights.look + weights.taste;
          const expected = new Map<string, number>();
          for (const item of world.items) {
            if (item.id === asked.id || !allowed(item, filter)) continue;
            const parts = (['look', 'taste'] as const).filter((space) => item.vectors[space] !== undefined);
            if (parts.length === 0) continue;
            const sum = parts.reduce(
              (all, space) => all + (weights[space] / total) * cosine(asked.vectors[space]!, item.vectors[space]!),
              0,
            );
            const shares = parts.reduce((all, space) => all + weights[space] / total, 0);
            expected.set(item.id, missing === 'zero' ? sum : sum / shares);
          }
          expectOrder(answer, expected, k);
          const approximate = await retriever.similarItems(asked.id, options);
          expect(approximate.results).toHaveLength(Math.min(k, expected.size));
          for (const { id, score } of approximate.results) expect(score).toBeCloseTo(expected.get(id)!, 5);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is whole and clean however it is re-ranked', async () => {
    const reranking = fc.record(
      {
        diversity: fc.double({ min: 0, max: 1, noNaN: true }),
        perGroup: fc.record({
          attribute: fc.constantFrom('kind', 'tags', 'year'),
          most: fc.integer({ min: 1, max: 3 }),
        }),
        popularity: fc.double({ min: -1, max: 1, noNaN: true }),
        boosts: fc.array(fc.record({ where, by: fc.double({ min: -1, max: 1, noNaN: true }) }), { maxLength: 2 }),
        recency: fc.record({ attribute: fc.constant('year'), halfLife: fc.constantFrom(1, 10) }),
        explore: fc.record({ slots: fc.integer({ min: 1, max: 4 }), seed: fc.nat(9) }),
        minScore: fc.double({ min: -0.2, max: 0.3, noNaN: true }),
        fusion: fc.constantFrom('sum' as const, 'rrf' as const),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        opened,
        filters,
        fc.integer({ min: 1, max: 60 }),
        reranking,
        fc.boolean(),
        async (at, filter, k, options, blend) => {
          const { world, retriever } = worlds[at]!;
          retriever.hide('test', names(filter.hidden) ?? []);
          const asked = world.items.find(({ vectors }) => vectors.look !== undefined && vectors.taste !== undefined)!;
          const question = {
            ...optionsOf(filter),
            ...options,
            k,
            exact: true,
            ...(blend ? { weights: { look: 1, taste: 2 }, quotas: { look: 0.3 } } : { space: 'look' }),
          };
          const answer = await retriever.similarItems(asked.id, question);
          const { perGroup: _, ...ungrouped } = question;
          const all = ids(await retriever.similarItems(asked.id, { ...ungrouped, k: 1000, diversity: 0 }));
          const found = ids(answer);
          expect(new Set(found).size).toBe(found.length);
          expect(found.every((id) => all.includes(id))).toBe(true);
          const counts = new Map<unknown, number>();
          const groups = (id: string) => {
            const value = world.items.find((item) => item.id === id)?.[
              (options.perGroup?.attribute ?? 'kind') as 'kind'
            ];
            return value === undefined ? [] : [value].flat();
          };
          for (const id of found) for (const group of groups(id)) counts.set(group, (counts.get(group) ?? 0) + 1);
          if (options.perGroup === undefined) {
            expect(found).toHaveLength(Math.min(k, all.length));
          } else {
            const { most } = options.perGroup;
            expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(most);
            // Short only where every other item's group has had its places.
            if (found.length < k) {
              const left = all.filter((id) => !found.includes(id));
              expect(left.every((id) => groups(id).some((group) => counts.get(group) === most))).toBe(true);
            }
          }
          if (options.minScore !== undefined) {
            expect(answer.results.every(({ score }) => score >= options.minScore!)).toBe(true);
          }
          for (const { likeness } of answer.results) expect(likeness >= 0 && likeness <= 1).toBe(true);
          const again = await retriever.similarItems(asked.id, question);
          expect(again.results).toEqual(answer.results);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('says why each result is there and what was left out', async () => {
    const { world, retriever } = worlds[0]!;
    retriever.hide('test', []);
    const user = 'u3';
    const plain = await retriever.recommend(user, { k: 8, exact: true, excludeSeen: false });
    const [first, second, third] = ids(plain);
    retriever.hide('recalled', [first!]);
    const answer = await retriever.recommend(user, {
      k: 8,
      exact: true,
      excludeSeen: false,
      deny: [second!],
      where: { not: { year: world.items.find(({ id }) => id === third)?.year ?? 0 } },
      explain: true,
    });
    const because = new Map(answer.explanation!.filtered.map((item) => [item.id, item.because]));
    expect(because.get(first!)).toBe('hidden');
    expect(because.get(second!)).toBe('deny');
    if (world.items.find(({ id }) => id === third)?.year !== undefined) expect(because.get(third!)).toBe('where');
    for (const { id, score, explanation } of answer.results) {
      expect(explanation!.sources).toEqual([
        { source: 'taste', part: 'user', rank: ids(answer).indexOf(id) + 1, score },
      ]);
      expect(explanation!.scores.taste).toBeCloseTo(score, 6);
      expect(explanation!.nearest.every((near) => world.users.get(user)!.includes(near.id))).toBe(true);
      const own = world.items.find((item) => item.id === id)!.vectors.taste!;
      const likenesses = world.users.get(user)!.flatMap((other) => {
        const vector = other === id ? undefined : world.items.find((item) => item.id === other)!.vectors.taste;
        return vector === undefined ? [] : [cosine(own, vector)];
      });
      if (likenesses.length > 0) expect(explanation!.nearest[0]!.likeness).toBeCloseTo(Math.max(...likenesses), 5);
    }
    retriever.hide('recalled', []);
  });
});
