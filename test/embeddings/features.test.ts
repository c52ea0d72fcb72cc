import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { row } from '../../src/core/matrix.js';
import type { Column } from '../../src/data/dataset.js';
import type { Content, FittedSpace } from '../../src/embeddings/embedding.js';
import { chooseKnots, decayEncoder } from '../../src/embeddings/features/decay.js';
import { features } from '../../src/embeddings/features/features.js';
import { catalogueOf, dot } from './support.js';

type Blocks = Readonly<Record<string, unknown>>;

async function fitted(columns: Readonly<Record<string, Column>>, blocks: Blocks): Promise<FittedSpace> {
  const [first] = Object.values(columns);
  const titles = first!.values.map((_, i) => `item ${i}`);
  return features.fit(catalogueOf(titles, columns), features.parse({ blocks }, 'space'), {});
}

const tags = (...values: (readonly string[] | undefined)[]): Column => ({ type: 'tags', values });
const numbers = (...values: (number | undefined)[]): Column => ({ type: 'number', values });

/** The likeness of two items. */
function likeness({ items }: FittedSpace, a: number, b: number): number {
  const [first, second] = [items.ordinals.indexOf(a), items.ordinals.indexOf(b)];
  return dot(row(items.matrix, first), row(items.matrix, second));
}

describe('numbers that fall with their difference', () => {
  const scale = fc.double({ min: 0.1, max: 100, noNaN: true });
  const values = fc.uniqueArray(fc.integer({ min: -500, max: 500 }), { minLength: 1, maxLength: 40 });

  it('have the likeness exp(−|x − y| / scale) exactly where every value is a knot', () => {
    fc.assert(
      fc.property(values, scale, (given, s) => {
        const encode = decayEncoder(chooseKnots(given, 64), s);
        for (const x of given) {
          for (const y of given) expect(dot(encode(x), encode(y))).toBeCloseTo(Math.exp(-Math.abs(x - y) / s), 5);
        }
      }),
    );
  });

  it('are of unit length, and near that likeness between the knots, as the distance of the knots allows', () => {
    const knots = chooseKnots(
      Array.from({ length: 1000 }, (_, i) => i / 10),
      51,
    );
    const s = 20;
    const encode = decayEncoder(knots, s);
    const slack = 1 / Math.sqrt(1 - 2 / (2 * s)) - 1;
    for (let x = 0; x < 99; x += 3.7) {
      expect(dot(encode(x), encode(x))).toBeCloseTo(1, 5);
      for (let y = x + 4; y < 99; y += 5.3) {
        const exact = Math.exp(-Math.abs(x - y) / s);
        expect(dot(encode(x), encode(y))).toBeGreaterThan(exact * 0.9999);
        expect(dot(encode(x), encode(y))).toBeLessThan(exact * (1 + slack) ** 2 * 1.0001);
      }
    }
  });

  it('are finite and of unit length however far apart the knots are', () => {
    const encode = decayEncoder(Float64Array.of(-1e9, 0, 1e12), 0.5);
    for (const x of [-2e9, -1e9, -5, 0, 1, 6e11, 1e12, 1e15]) expect(dot(encode(x), encode(x))).toBeCloseTo(1, 5);
  });
});

describe('the embedding features', () => {
  it('sums the likeness of the columns by their weights', async () => {
    const space = await fitted(
      { genres: tags(['a', 'b'], ['a'], ['c']), year: numbers(2000, 2010, 2000) },
      { genres: { type: 'tags', weight: 3 }, year: { type: 'number', scale: 10 } },
    );
    expect(likeness(space, 0, 0)).toBeCloseTo(1, 6);
    expect(likeness(space, 0, 1)).toBeCloseTo(0.75 * Math.SQRT1_2 + 0.25 * Math.exp(-1), 5);
    expect(likeness(space, 0, 2)).toBeCloseTo(0.25, 6);
    expect(space.blocks).toEqual([
      { name: 'genres', weight: 0.75, dim: 3 },
      { name: 'year', weight: 0.25, dim: 2 },
    ]);
  });

  it('takes what is not known of one of two items for nothing in common, and leaves out items of which nothing is', async () => {
    const space = await fitted(
      { genres: tags(['a'], ['a'], undefined, []), year: numbers(2000, undefined, 2000, undefined) },
      { genres: { type: 'tags' }, year: { type: 'number', scale: 10 } },
    );
    expect([...space.items.ordinals]).toEqual([0, 1, 2]);
    expect(likeness(space, 0, 1)).toBeCloseTo(0.5, 6);
    expect(likeness(space, 1, 2)).toBe(0);
    expect(space.notes).toEqual({ 'itemsWith.genres': 2, 'itemsWith.year': 2, withoutVector: 1 });
    expect(space.likeness).toBe(space.items.matrix);
  });

  it('counts tags once, as often as listed, by relevance, or by how few items have them', async () => {
    const listed = tags(['dark', 'dark', 'slow'], ['dark', 'slow'], ['slow']);
    const cosine = async (column: Column, block: Blocks) => likeness(await fitted({ t: column }, { t: block }), 0, 1);
    expect(await cosine(listed, { type: 'tags' })).toBeCloseTo(1, 6);
    expect(await cosine(listed, { type: 'tags', count: 'count' })).toBeCloseTo(3 / Math.sqrt(10), 6);
    const relevant = tags(['dark:0.5', 'Slow'], ['dark:.5', 'mood: grey:2']);
    expect(await cosine(relevant, { type: 'tags', count: 'relevance' })).toBeCloseTo(
      0.25 / (Math.sqrt(1.25) * Math.sqrt(4.25)),
      6,
    );
    const idf = (items: number) => 1 + Math.log((1 + 3) / (1 + items));
    const rare = idf(2);
    expect(likeness(await fitted({ t: listed }, { t: { type: 'tags', idf: true } }), 0, 2)).toBeCloseTo(
      idf(3) / Math.hypot(rare, idf(3)),
      6,
    );
  });

  it('keeps the terms of the most items', async () => {
    const space = await fitted({ t: tags(['a', 'b', 'c'], ['b', 'c'], ['c']) }, { t: { type: 'tags', maxTerms: 2 } });
    expect(space.blocks).toEqual([{ name: 't', weight: 1, dim: 2 }]);
    const few = await fitted({ t: tags(['a', 'b', 'c'], ['b', 'c'], ['c']) }, { t: { type: 'tags', minItems: 3 } });
    expect(few.blocks).toEqual([{ name: 't', weight: 1, dim: 1 }]);
  });

  it('reads texts and numbers as categories', async () => {
    const names: Column = { type: 'text', values: ['Blue', ' blue', 'red'] };
    const space = await fitted(
      { color: names, size: numbers(1, 2, 1) },
      { color: { type: 'category' }, size: { type: 'category' } },
    );
    expect(likeness(space, 0, 1)).toBeCloseTo(0.5, 6);
    expect(likeness(space, 0, 2)).toBeCloseTo(0.5, 6);
    expect(likeness(space, 1, 2)).toBe(0);
  });

  it('puts numbers in bins between edges, or of about equally many items', async () => {
    const binOf = async (column: Column, block: Blocks) => {
      const { items } = await fitted({ x: column }, { x: { type: 'number', ...block } });
      return column.values.map((_, i) => row(items.matrix, i).indexOf(1));
    };
    expect(await binOf(numbers(0, 10, 11, 20, 99), { edges: [10, 20] })).toEqual([0, 1, 1, 2, 2]);
    expect(await binOf(numbers(8, 1, 5, 3, 7, 2, 4, 6), { bins: 4 })).toEqual([3, 0, 2, 1, 3, 0, 1, 2]);
    expect(await binOf(numbers(1, 1, 1, 1, 1, 2), { bins: 3 })).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('takes a standard deviation for the scale of a number, and years for that of a date', async () => {
    const standard = await fitted({ x: numbers(0, 10) }, { x: { type: 'number' } });
    expect(likeness(standard, 0, 1)).toBeCloseTo(Math.exp(-2), 6);
    const date = (iso: string) => Date.parse(iso) / 1000;
    const dates = await fitted(
      { seen: numbers(date('2000-01-01'), date('2010-01-01')) },
      { seen: { type: 'date', years: 20 } },
    );
    expect(likeness(dates, 0, 1)).toBeCloseTo(Math.exp(-0.5), 3);
  });

  it('places the content of an item where the fit placed the item', async () => {
    const columns = {
      genres: tags(['a', 'b'], ['a'], undefined, ['c']),
      maker: { type: 'text', values: ['x', 'y', undefined, 'x'] } satisfies Column,
      year: numbers(1990, undefined, 2003, 2011),
      price: numbers(1, 5, 9, undefined),
      added: numbers(1e9, 1.1e9, 1.3e9, undefined),
    };
    const { items, model } = await fitted(columns, {
      genres: { type: 'tags', idf: true },
      maker: { type: 'category', weight: 0.5 },
      year: { type: 'number', knots: 2 },
      price: { type: 'number', bins: 2 },
      added: { type: 'date', years: 3 },
    });
    const embedder = await features.openEmbedder!(structuredClone(model));
    for (const [r, item] of items.ordinals.entries()) {
      const attributes = Object.fromEntries(Object.entries(columns).map(([name, { values }]) => [name, values[item]]));
      expect(await embedder.embed({ attributes })).toEqual(row(items.matrix, r));
    }
    expect(embedder.dim).toBe(items.matrix.dim);
    expect(await embedder.embed({ title: 'unheard of', attributes: { genres: ['z'] } })).toBeUndefined();
    const wrong = { attributes: { year: '1990' } } as Content;
    await expect(embedder.embed(wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('refuses models that are not its own', async () => {
    const { model } = await fitted({ t: tags(['a']) }, { t: { type: 'tags' } });
    for (const changes of [
      { fitted: [] },
      { fitted: [{ terms: ['a'] }] },
      { blocks: { t: { type: 'date' } } },
      { blocks: 1 },
    ]) {
      const opening = features.openEmbedder!({ ...model, ...changes });
      await expect(opening).rejects.toMatchObject({ code: 'FORMAT' });
    }
  });

  it('says which key or column is wrong', async () => {
    const parse = (blocks: unknown) => () => features.parse({ blocks } as Record<string, unknown>, 'spaces.f');
    expect(parse({})).toThrow(/spaces\.f\.blocks: expected an object of columns/);
    expect(parse({ year: { type: 'nmber' } })).toThrow(/spaces\.f\.blocks\.year\.type.*"number"/);
    expect(parse({ year: { type: 'number', bin: 3 } })).toThrow(/blocks\.year\.bin: .*bins/);
    expect(parse({ year: { type: 'number', bins: 3, scale: 2 } })).toThrow(/year\.scale: expected none beside bins/);
    expect(parse({ year: { type: 'number', edges: [2, 1] } })).toThrow(/year\.edges: .*ascend/);
    expect(parse({ year: { type: 'number', weight: 0 } })).toThrow(/year\.weight: .*above 0/);
    const columns = {
      year: numbers(1),
      note: { type: 'text', values: ['a'] } satisfies Column,
      none: numbers(undefined),
    };
    const failing = (blocks: Blocks) => expect(fitted(columns, blocks)).rejects;
    await failing({ yaer: { type: 'number' } }).toMatchObject({ code: 'MISSING_COLUMN', message: /year/ });
    await failing({ note: { type: 'number' } }).toMatchObject({ code: 'INVALID_ARGUMENT', message: /blocks\.note/ });
    await failing({ none: { type: 'number' } }).toMatchObject({ code: 'EMPTY_DATASET', message: /blocks\.none/ });
  });
});
