import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import type { Answer, QueryOptions } from '../../src/retrieval/types.js';
import { itemIds, smallRecipe, spaces as smallSpaces, writeSmallWorld } from './support/small-world.js';

const flat = { index: { kind: 'flat' } };
/** `both` comes before what it is made of. */
const spaces = {
  both: { embedding: 'concat', of: { text: 3, facts: 1 }, ...flat },
  ...smallSpaces,
  facts: {
    embedding: 'features',
    blocks: { genres: { type: 'tags' }, year: { type: 'number', scale: 5 } },
    ...flat,
  },
  genres: { embedding: 'features', blocks: { genres: { type: 'tags' } }, ...flat },
};

let directory: string;
let world: Retriever;

async function built(name: string, changed: object = spaces): Promise<Retriever> {
  await buildCollection(smallRecipe(directory, { spaces: changed }), join(directory, name));
  return Retriever.open(join(directory, name));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-combined-'));
  await writeSmallWorld(directory);
  world = await built('world');
});

afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

const ids = ({ results }: Answer) => results.map(({ id }) => id);
const scores = ({ results }: Answer) => new Map(results.map(({ id, score }) => [id, score]));
const everything = { k: itemIds.length, exact: true } satisfies QueryOptions;

describe('a space of other spaces', () => {
  it('is built after them, and stands where the recipe has it', () => {
    expect(world.info.spaces.map(({ name }) => name)).toEqual(['both', 'cf', 'text', 'facts', 'genres']);
    const [both] = world.info.spaces;
    expect(both!.blocks).toEqual([
      { name: 'text', weight: 0.75, dim: world.info.spaces[2]!.dim },
      { name: 'facts', weight: 0.25, dim: world.info.spaces[3]!.dim },
    ]);
  });

  it('scores by the weighted sum of theirs', async () => {
    const [text, facts, both] = await Promise.all(
      ['text', 'facts', 'both'].map(async (space) =>
        scores(await world.similarItems('opera-3', { ...everything, space })),
      ),
    );
    expect(both!.size).toBeGreaterThan(100);
    for (const [id, score] of both!) {
      if (/^(lonely|mute)/.test(id)) continue; // they have no genre: within the whole their year is at unit length
      expect(score).toBeCloseTo(0.75 * (text!.get(id) ?? 0) + 0.25 * (facts!.get(id) ?? 0), 4);
    }
  });

  it('answers with other weights as if it had been built with them', async () => {
    const weights = { text: 0.2, facts: 0.8 };
    await using rebuilt = await built('rebuilt', { ...spaces, both: { ...spaces.both, of: weights } });
    const ask = [
      (of: Retriever, options: QueryOptions) => of.similarItems('opera-3', options),
      (of: Retriever, options: QueryOptions) => of.similarItems('lonely-1', options),
      (of: Retriever, options: QueryOptions) => of.similarItems('mute-0', options),
    ];
    for (const question of ask) {
      const [asked, expected] = await Promise.all([
        question(world, { ...everything, space: 'both', weights: { text: 1, facts: 4 } }),
        question(rebuilt, { ...everything, space: 'both' }),
      ]);
      const expectedScores = scores(expected);
      expect(asked.results.length).toBe(expected.results.length);
      for (const [id, score] of scores(asked)) expect(score).toBeCloseTo(expectedScores.get(id)!, 4);
    }
    const before = await world.similarItems('opera-3', { ...everything, space: 'both' });
    const after = await world.similarItems('opera-3', { ...everything, space: 'both', weights });
    expect(ids(after)).not.toEqual(ids(before));
  });

  it('answers recommendations with other weights', async () => {
    const picks = [{ item: 'opera-3' }, { item: 'desert-3' }];
    const alone = await world.recommendFor(picks, { k: 10, space: 'both', weights: { facts: 1 } });
    const facts = await world.recommendFor(picks, { k: 10, space: 'facts' });
    expect(new Set(ids(alone))).toEqual(new Set(ids(facts)));
  });

  it('finds the space that has the weighed blocks', async () => {
    const answer = await world.similarItems('opera-3', { weights: { genres: 1, year: 0.5 } });
    expect(answer.stats.space).toBe('facts');
    await expect(world.similarItems('opera-3', { weights: { years: 1, length: 1 } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('both has text, facts'),
    });
    await expect(world.similarItems('opera-3', { space: 'text', weights: { cf: 1 } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(world.similarItems('lonely-0', { space: 'facts', weights: { genres: 1 } })).rejects.toMatchObject({
      code: 'NO_VECTOR',
    });
  });
});

describe('weights of spaces', () => {
  it('score as a space of these spaces does, without one', async () => {
    const weights = { text: 3, facts: 1 };
    const blend = await world.similarItems('opera-3', { ...everything, weights });
    const both = scores(await world.similarItems('opera-3', { ...everything, space: 'both', weights }));
    expect(blend.stats).toMatchObject({ space: 'text+facts', exact: true });
    for (const [id, score] of scores(blend)) {
      if (!/^(lonely|mute)/.test(id)) expect(score).toBeCloseTo(both.get(id)!, 4);
    }
  });

  it('mean spaces where a name is that of both', async () => {
    expect((await world.similarItems('opera-3', { weights: { facts: 1 } })).stats.space).toBe('facts');
    expect((await world.similarItems('opera-3', { weights: { cf: 1 } })).stats.space).toBe('cf');
    // `genres` is a space too, `year` is not: these are blocks.
    expect((await world.similarItems('opera-3', { weights: { genres: 1, year: 1 } })).stats.space).toBe('facts');
  });
});

describe('a space of features', () => {
  it('ties items of the same genres, in the order of the catalogue, every time', async () => {
    const expected = itemIds.filter((id) => id.startsWith('opera') && id !== 'opera-3').slice(0, 10);
    for (let time = 0; time < 3; time++) {
      const answer = await world.similarItems('opera-3', { space: 'genres', k: 10 });
      expect(ids(answer)).toEqual(expected);
      expect(new Set(scores(answer).values()).size).toBe(1);
    }
  });

  it('has no vector for an item of which nothing is known', async () => {
    await expect(world.similarItems('mute-0', { space: 'genres' })).rejects.toMatchObject({ code: 'NO_VECTOR' });
    const genres = world.info.spaces.find(({ name }) => name === 'genres');
    expect(genres).toMatchObject({ items: 120, notes: { withoutVector: 4 } });
  });
});

describe('spaces that use others', () => {
  const refused = (changed: object) => {
    try {
      smallRecipe(directory, { spaces: changed });
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it('are refused where the other is missing or a circle closes, with the names', () => {
    expect(refused({ ...smallSpaces, both: { embedding: 'concat', of: { txt: 1 } } })).toMatchObject({
      code: 'INVALID_RECIPE',
      message: expect.stringMatching(/spaces\.both: .*"txt".*text/),
    });
    const circle = { a: { embedding: 'concat', of: { b: 1 } }, b: { embedding: 'concat', of: { c: 1, a: 1 } } };
    expect(refused({ ...circle, c: smallSpaces.text })).toMatchObject({
      code: 'INVALID_RECIPE',
      message: expect.stringContaining('a → b → a'),
    });
    expect(refused({ a: { embedding: 'concat', of: { a: 1 } } })).toMatchObject({
      message: expect.stringContaining('a → a'),
    });
  });
});
