import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import type { Answer, Question } from '../../src/retrieval/types.js';
import { itemIds, likes, smallRecipe, smallRecipeJson, spaces, writeSmallWorld } from './support/small-world.js';

let directory: string;
let world: Retriever;
/** Without a space of content: what nobody has touched has no vector. */
let bare: Retriever;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-questions-'));
  await writeSmallWorld(directory);
  await buildCollection(smallRecipe(directory), join(directory, 'world'));
  world = await Retriever.open(join(directory, 'world'));
  // One more item, which nobody has, of the genre of operas; and one of which nothing is known.
  const { dataset } = smallRecipeJson;
  const items = itemIds.map((id) => ({ id, title: id, genres: [id.split('-')[0]], year: 1950 }));
  const more = [
    { id: 'new-opera', title: 'new', genres: ['opera'] },
    { id: 'unknown', title: 'unknown' },
  ];
  await writeFile(
    join(directory, 'more.jsonl'),
    [...items, ...more].map((item) => `${JSON.stringify(item)}\n`).join(''),
  );
  const recipe = {
    ...smallRecipeJson,
    dataset: { ...dataset, items: { ...dataset.items, path: 'more.jsonl', columns: { genres: { type: 'tags' } } } },
    spaces: { cf: spaces.cf },
  };
  await buildCollection(parseRecipe(JSON.stringify(recipe), directory), join(directory, 'bare'));
  bare = await Retriever.open(join(directory, 'bare'));
});

afterAll(async () => {
  await world.close();
  await bare.close();
  await rm(directory, { recursive: true, force: true });
});

const ids = ({ results }: Answer) => results.map(({ id }) => id);
const share = (answer: Answer, theme: string) =>
  answer.results.filter(({ id }) => id.startsWith(theme)).length / answer.results.length;

describe('query', () => {
  it('answers by item, user and history as the methods of these names do', async () => {
    expect((await world.query({ item: 'opera-3', k: 5 })).results).toEqual(
      (await world.similarItems('opera-3', { k: 5 })).results,
    );
    expect((await world.query({ user: 'user-1-1', k: 5 })).results).toEqual(
      (await world.recommend('user-1-1', { k: 5 })).results,
    );
    const history = [{ item: 'river-1' }, { item: 'opera-2', weight: -1 }];
    expect((await world.query({ history })).results).toEqual((await world.recommendFor(history)).results);
  });

  it('answers by text, in the space that reads it', async () => {
    const answer = await world.query({ text: 'glacier', k: 10 });
    expect(answer.stats.space).toBe('text');
    expect(share(answer, 'glacier')).toBeGreaterThanOrEqual(0.9);
    await expect(world.query({ text: 'zzzz qqqq' })).rejects.toMatchObject({ code: 'NO_VECTOR' });
    await expect(world.query({ text: 'glacier', space: 'cf' })).rejects.toMatchObject({ code: 'NO_VECTOR' });
    expect((await world.query({ text: 'zzzz', fallback: true })).stats.fallback).toMatchObject({ to: 'popularity' });
  });

  it('answers by a vector of a space', async () => {
    const byItem = await world.similarItems('desert-4', { space: 'text', k: 5, exact: true });
    const dim = world.info.spaces.find(({ name }) => name === 'text')!.dim;
    const vector = new Float32Array(dim).fill(0.1);
    expect((await world.query({ vector, space: 'text', k: 5 })).results).toHaveLength(5);
    expect((await world.query({ vector: [...vector], space: 'text', k: 5 })).results).toHaveLength(5);
    expect(byItem.results).toHaveLength(5);
    for (const [question, code] of [
      [{ vector }, 'INVALID_ARGUMENT'],
      [{ vector: [1, 2], space: 'text' }, 'INVALID_ARGUMENT'],
      [{ vector: ['1'], space: 'text' }, 'INVALID_ARGUMENT'],
      [{ vector: new Float32Array(dim), space: 'text' }, 'ZERO_VECTOR'],
      [{ vector: new Float32Array(dim).fill(Number.NaN), space: 'text' }, 'NOT_FINITE'],
      [{ vector, space: 'txt' }, 'UNKNOWN_SPACE'],
    ] as const) {
      await expect(world.query(question as never)).rejects.toMatchObject({ code });
    }
  });

  it('answers several parts together, each in its own space', async () => {
    const answer = await world.query({ user: 'user-1-1', text: 'glacier', k: 20 });
    expect(answer.stats.space).toBe('cf+text');
    expect(answer.stats.sources).toMatchObject([
      { source: 'cf', part: 'user', weight: 0.5 },
      { source: 'text', part: 'text', weight: 0.5 },
    ]);
    expect(share(answer, 'glacier')).toBeGreaterThan(0.5);
    expect(ids(answer).some((id) => likes.get('user-1-1')!.includes(id))).toBe(false);
    // By ranks neither can drown the other, whatever their scores are.
    const ranked = await world.query({ user: 'user-1-1', text: 'glacier', k: 20, fusion: 'rrf' });
    expect(share(ranked, 'glacier')).toBeGreaterThan(0.3);
    expect(share(ranked, 'desert')).toBeGreaterThan(0.2);
    expect(ranked.results[0]!.score).toBeLessThanOrEqual(1 / 61);
    expect(ranked.results[0]!.likeness).toBeGreaterThan(0.1);
  });

  it('gives a source at least its quota, also one that weighs nothing', async () => {
    const inText = async (quota: number) => {
      const options = { weights: { cf: 1, text: 0 }, k: 10, exact: true };
      const own = ids(await world.similarItems('river-3', { space: 'text', k: 10, exact: true }));
      const answer = await world.similarItems('river-3', { ...options, quotas: { text: quota } });
      expect(answer.results).toHaveLength(10);
      return ids(answer).filter((id) => own.includes(id)).length;
    };
    for (const quota of [0.2, 0.5, 1]) expect(await inText(quota)).toBeGreaterThanOrEqual(10 * quota);
    expect(await inText(0)).toBeLessThan(10);
  });

  it('is many at once, in their order, or the first refusal with its place', async () => {
    const questions = Array.from({ length: 150 }, (_, n): Question => ({ item: itemIds[n % 100]!, k: 3 }));
    const answers = await world.queryAll(questions);
    expect(answers).toHaveLength(150);
    expect(answers[140]!.results).toEqual((await world.similarItems(itemIds[40]!, { k: 3 })).results);
    await expect(world.queryAll([{ item: 'opera-1' }, { item: 'opra-1' }])).rejects.toMatchObject({
      code: 'UNKNOWN_ITEM',
      message: expect.stringMatching(/^questions\[1\]: "opra-1"/),
    });
    expect(await world.queryAll([])).toEqual([]);
  });

  it.each<[unknown, string, RegExp]>([
    [{}, 'INVALID_ARGUMENT', /at least one of item, user, history/],
    [{ itme: 'x' }, 'UNKNOWN_OPTION', /itme/],
    [{ item: 3 }, 'INVALID_ARGUMENT', /item: expected a string/],
    [{ item: 'opera-1', excludeSeen: true }, 'UNKNOWN_OPTION', /excludeSeen/],
    [{ image: 'no bytes' }, 'INVALID_ARGUMENT', /image/],
    [{ history: {} }, 'INVALID_ARGUMENT', /history/],
    [null, 'INVALID_ARGUMENT', /question/],
    [{ item: 'opera-1', weights: { cf: 1, txt: 1 } }, 'UNKNOWN_SPACE', /"txt".*Did you mean "text"/],
    [{ item: 'opera-1', weights: { txet: 1 } }, 'UNKNOWN_SPACE', /"txet".*Did you mean "text"/],
    [{ item: 'opera-1', weights: { cf: -1, text: 1 } }, 'INVALID_ARGUMENT', /weights\.cf/],
    [{ item: 'opera-1', weights: { cf: 0, text: 0 } }, 'INVALID_ARGUMENT', /above 0/],
    [{ item: 'opera-1', weights: { cf: 1 }, quotas: { text: 0.5 } }, 'INVALID_ARGUMENT', /quotas\.text/],
    [{ item: 'opera-1', quotas: { text: 0.5 } }, 'INVALID_ARGUMENT', /quotas: expected weights/],
    [{ item: 'opera-1', weights: { cf: 1, text: 1 }, quotas: { cf: 0.6, text: 0.5 } }, 'INVALID_ARGUMENT', /sum/],
  ])('%j is refused', async (question, code, message) => {
    await expect(world.query(question as Question)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('of filters that contradict each other is an empty list', async () => {
    const answer = await world.query({ item: 'opera-1', where: 'year > 1960 and year < 1955' });
    expect(answer.results).toEqual([]);
    expect((await world.query({ user: 'user-0-0', allow: ['river-1'], deny: ['river-1'] })).results).toEqual([]);
    expect((await world.query({ user: 'user-0-0', allow: [], diversity: 0.5 })).results).toEqual([]);
  });
});

describe('similarUsers', () => {
  it('lists users of the same taste, never the user', async () => {
    const { results, stats } = await world.similarUsers('user-2-3', { k: 10 });
    expect(stats).toMatchObject({ space: 'cf', exact: true });
    expect(results).toHaveLength(10);
    expect(results.every(({ id }) => id.startsWith('user-2-') && id !== 'user-2-3')).toBe(true);
    const scores = results.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect((await world.similarUsers('user-2-3', { k: 10_000 })).results).toHaveLength(likes.size - 1);
    await expect(world.similarUsers('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_USER' });
    await expect(world.similarUsers('user-2-3', { space: 'text' })).rejects.toMatchObject({ code: 'NO_VECTOR' });
  });
});

describe('stoplists', () => {
  it('hide items everywhere from one question to the next, and lift again', async () => {
    const before = await world.similarItems('opera-3', { k: 5 });
    const [first = ''] = ids(before);
    world.hide('recalled', [first, 'not in the catalogue']);
    world.hide('legal', ['opera-4']);
    const revision = world.revision;
    for (const answer of [
      await world.similarItems('opera-3', { k: 200 }),
      await world.recommendFor([{ item: 'opera-3' }], { k: 200 }),
      await world.query({ text: 'opera', k: 200 }),
    ]) {
      expect(ids(answer)).not.toContain(first);
      expect(ids(answer)).not.toContain('opera-4');
    }
    expect(world.findItems('opera', { limit: 200 }).map(({ id }) => id)).not.toContain('opera-4');
    expect(world.findItems('the opera', { limit: 5 })).toHaveLength(5);
    expect([...world.hidden.keys()]).toEqual(['recalled', 'legal']);
    world.hide('recalled', []);
    world.hide('legal', []);
    expect(world.revision).toBe(revision + 2);
    expect((await world.similarItems('opera-3', { k: 5 })).results).toEqual(before.results);
    expect(() => world.hide('x', 'opera-3' as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('fallbacks', () => {
  it('go to another space, and say so', async () => {
    const answer = await world.similarItems('lonely-0', { k: 5 });
    expect(answer.stats).toMatchObject({ space: 'text', fallback: { to: 'space', passedOver: ['cf'] } });
    const named = await world.similarItems('lonely-0', { k: 5, space: 'cf', fallback: true });
    expect(named.results).toEqual(answer.results);
    expect(named.stats.fallback).toEqual({ to: 'space', passedOver: ['cf'] });
    expect((await world.similarItems('opera-1')).stats).not.toHaveProperty('fallback');
    const blend = await world.similarItems('lonely-0', { k: 5, weights: { cf: 1, text: 1 } });
    expect(blend.stats).toMatchObject({ space: 'text', fallback: { to: 'space', passedOver: ['cf'] } });
  });

  it('then to what has the same attributes, then to what most people have', async () => {
    const content = await bare.similarItems('new-opera', { k: 8 });
    expect(content.stats).toMatchObject({ space: 'content', fallback: { to: 'content', passedOver: ['cf'] } });
    expect(share(content, 'opera')).toBe(1);
    const counts = content.results.map(({ id }) => bare.item(id).interactions);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    const popular = await bare.similarItems('unknown', { k: 1000 });
    expect(popular.stats).toMatchObject({ space: 'popularity', exact: true, fallback: { to: 'popularity' } });
    expect(popular.results).toHaveLength(itemIds.length + 1);
    const taken = popular.results.map(({ id }) => bare.item(id).interactions);
    expect(taken).toEqual([...taken].sort((a, b) => b - a));
    expect(popular.results[0]!.likeness).toBe(1);
  });

  it('keep to the filters, and may be refused', async () => {
    const answer = await bare.similarItems('unknown', { k: 1000, where: 'genres has opera', deny: ['opera-1'] });
    expect(answer.results).toHaveLength(30);
    expect(ids(answer)).not.toContain('opera-1');
    const diverse = await bare.similarItems('new-opera', { k: 5, diversity: 0.5 });
    expect(diverse.results).toHaveLength(5);
    await expect(bare.similarItems('unknown', { fallback: false })).rejects.toMatchObject({ code: 'NO_VECTOR' });
    await expect(bare.similarItems('unknown', { space: 'cf' })).rejects.toMatchObject({ code: 'NO_VECTOR' });
  });
});
