import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { titleKey } from '../../src/retrieval/title-finder.js';
import { TitleSearch } from '../../src/retrieval/title-search.js';

const title = fc
  .array(fc.constantFrom('the', 'river', 'Riverside', 'song', 'Über', 'songs', '2', 'a'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((words) => words.join(' '));
const catalogue = fc.array(fc.record({ title, count: fc.nat(5) }), { minLength: 1, maxLength: 30 });

const open = async (items: readonly { title: string; count: number }[]) =>
  new TitleSearch(
    await TitleSearch.pack(items.map((item) => item.title)),
    Uint32Array.from(items, ({ count }) => count),
  );

describe('titleKey', () => {
  it('leaves letters and digits, lower case and without accents', () => {
    expect(titleKey('Léon: The Professional (1994)')).toBe('leon the professional 1994');
    expect(titleKey('@scope/express-session')).toBe('scope express session');
    expect(titleKey(' ☺ ')).toBe('☺');
    expect(titleKey('')).toBe('');
  });
});

describe('TitleSearch', () => {
  it('finds what a look at every title finds, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(
        catalogue,
        fc.oneof(title, fc.constantFrom('r', 'riv so', 'the s', 'zz', '', 'ub')),
        fc.integer({ min: 1, max: 40 }),
        async (items, query, limit) => {
          const key = titleKey(query);
          const keys = items.map((item) => titleKey(item.title));
          const rank = (item: number) => {
            const own = keys[item]!;
            if (own === key) return 0;
            if (own.startsWith(key)) return 1;
            const words = own.split(' ');
            return key.split(' ').every((part) => words.some((word) => word.startsWith(part))) ? 2 : 3;
          };
          const expected = keys
            .map((_, item) => item)
            .filter((item) => rank(item) < 3)
            .sort((a, b) => rank(a) - rank(b) || items[b]!.count - items[a]!.count || a - b);
          expect((await open(items)).find(query, limit)).toEqual(expected.slice(0, limit));
        },
      ),
    );
  });

  it('takes the title with all the words and the fewest others for the closest', async () => {
    await fc.assert(
      fc.asyncProperty(catalogue, title, async (items, query) => {
        const wanted = new Set(titleKey(query).split(' '));
        const words = items.map((item) => titleKey(item.title).split(' '));
        const fitting = words.flatMap((own, item) => ([...wanted].every((word) => own.includes(word)) ? [item] : []));
        const fewest = Math.min(...fitting.map((item) => words[item]!.length));
        const expected = fitting
          .filter((item) => words[item]!.length === fewest)
          .sort((a, b) => items[b]!.count - items[a]!.count || a - b);
        expect((await open(items)).closest(query)).toEqual(expected);
      }),
    );
  });

  it('suggests titles whose words nearly read like those of the query', async () => {
    const search = await open(
      ['express', 'express-session', 'lodash', 'underscore'].map((title) => ({ title, count: 1 })),
    );
    expect(search.suggest('expres sesion', 3)).toEqual([1]);
    expect(search.suggest('lodahs', 3)).toEqual([2]);
    expect(search.suggest('qqqq', 3)).toEqual([]);
  });

  it('refuses stored parts that contradict each other', async () => {
    const packed = await TitleSearch.pack(['a b', 'b c']);
    const popularity = new Uint32Array(2);
    for (const broken of [
      { ...packed, items: packed.items.map(() => 9) },
      { ...packed, postings: packed.postings.slice(1) },
      { ...packed, postings: packed.postings.map((_, i) => (i === 1 ? 99 : 0)) },
    ]) {
      expect(() => new TitleSearch(broken, popularity)).toThrow(expect.objectContaining({ code: 'FORMAT' }));
    }
    expect(() => new TitleSearch(packed, new Uint32Array(3))).toThrow(expect.objectContaining({ code: 'FORMAT' }));
  });
});
