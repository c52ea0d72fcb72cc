/** What a Retriever over the small world answers, wherever the collection is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IndexKind } from '../../src/index/vector-index.js';
import type { Retriever } from '../../src/retrieval/retriever.js';
import { itemIds, likes, themes, titles } from './support/small-world.js';

const themeOf = (id: string) => id.split('-')[0];
const inCf = itemIds.filter((id) => [...likes.values()].some((liked) => liked.includes(id)));
const inText = itemIds.filter((id) => !id.startsWith('mute'));
const ids = (answer: { results: readonly { id: string }[] }) => answer.results.map(({ id }) => id);

export const refused = async (work: () => unknown, code: string, pattern: RegExp) => {
  await expect((async () => work())()).rejects.toMatchObject({
    name: 'NighError',
    code,
    message: expect.stringMatching(pattern),
  });
};

/**
 * @param opened the world, once tests run
 * @param kind of its indexes
 */
export function retrieverContract(opened: () => Retriever, kind: IndexKind): void {
  describe('a collection', () => {
    it('says what it is', () => {
      expect(opened().info).toMatchObject({
        name: 'small-world',
        title: 'A small world',
        description: 'Four themes',
        generation: 'gen-000001',
        dataset: { name: 'small world', licence: 'public domain', source: 'made here' },
        items: itemIds.length,
        users: likes.size,
        interactions: [...likes.values()].flat().length,
        recallFloor: 0.95,
      });
      const [cf, text] = opened().info.spaces;
      expect(cf).toMatchObject({ name: 'cf', embedding: 'als', dim: 12, items: inCf.length, users: likes.size });
      expect(cf?.recommend).toMatchObject({ kind, metric: 'ip', count: inCf.length, queries: likes.size });
      expect(text).toMatchObject({ name: 'text', embedding: 'tfidf', items: inText.length, users: 0 });
      expect(text).not.toHaveProperty('recommend');
      for (const index of [cf?.similar, cf?.recommend, text?.similar]) {
        expect(index?.recallAt10).toBeGreaterThanOrEqual(0.95);
        expect(index?.fileBytes).toBeGreaterThan(0);
      }
      expect(Date.parse(opened().info.createdAt)).toBeGreaterThan(0);
      expect(opened().info.bytesOnDisk).toBeGreaterThan(0);
    });

    it('keeps what the dataset says of an item', () => {
      const item = opened().item('desert-7');
      expect(item).toEqual({
        id: 'desert-7',
        title: titles.get('desert-7'),
        attributes: { genres: ['desert'], year: 1957, note: 'a note – desert-7' },
        interactions: [...likes.values()].filter((liked) => liked.includes('desert-7')).length,
        spaces: ['cf', 'text'],
      });
      expect(opened().item('lonely-1')).toMatchObject({ interactions: 0, spaces: ['text'] });
      expect(opened().item('lonely-1').attributes).toEqual({ year: 1951 });
      expect(opened().item('mute-0').spaces).toEqual(['cf']);
    });
  });

  describe('similarItems', () => {
    it('lists items of the same kind, best first, with what is known of each', async () => {
      for (const space of ['cf', 'text']) {
        const { results, stats } = await opened().similarItems('opera-3', { space, k: 8 });
        expect(results).toHaveLength(8);
        expect(results.filter(({ id }) => themeOf(id) === 'opera').length).toBeGreaterThanOrEqual(7);
        expect(results.map(({ score }) => score)).toEqual(results.map(({ score }) => score).sort((a, b) => b - a));
        expect(results.every(({ score }) => score <= 1.0001 && score > 0)).toBe(true);
        for (const { id, title, attributes } of results) expect(opened().item(id)).toMatchObject({ title, attributes });
        expect(stats).toMatchObject({ space, generation: 'gen-000001' });
        expect(stats.distances).toBeGreaterThan(0);
        expect(stats.tookMs).toBeGreaterThanOrEqual(0);
      }
    });

    it('answers from the first space that knows the item, and refuses where the space that was asked for does not', async () => {
      expect((await opened().similarItems('lonely-0')).stats.space).toBe('text');
      expect((await opened().similarItems('mute-0')).stats.space).toBe('cf');
      await expect(opened().similarItems('lonely-0', { space: 'cf' })).rejects.toMatchObject({
        code: 'NO_VECTOR',
        message: expect.stringContaining('"lonely-0"'),
      });
      await expect(opened().similarItems('mute-0', { space: 'text' })).rejects.toMatchObject({ code: 'NO_VECTOR' });
    });

    it('finds by graph what exact search finds, and says which it was', async () => {
      const graph = await opened().similarItems('river-1', { k: 10 });
      const exact = await opened().similarItems('river-1', { k: 10, exact: true });
      expect(exact.stats.exact).toBe(true);
      expect(ids(exact).filter((id) => ids(graph).includes(id)).length).toBeGreaterThanOrEqual(9);
      exact.results.forEach(({ score }, i) => {
        expect(score).toBeGreaterThanOrEqual(graph.results[i]!.score - 1e-6);
      });
    });

    it('gives exactly min(k, matching) items, never itself, none that is denied and none twice', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...inText),
          fc.integer({ min: 1, max: 200 }),
          fc.subarray([...itemIds, 'unheard of']),
          fc.boolean(),
          async (item, k, deny, exact) => {
            const found = ids(await opened().similarItems(item, { k, deny, exact, space: 'text' }));
            const matching = inText.filter((id) => id !== item && !deny.includes(id));
            expect(found).toHaveLength(Math.min(k, matching.length));
            expect(new Set(found).size).toBe(found.length);
            expect(found.every((id) => matching.includes(id))).toBe(true);
          },
        ),
      );
    });
  });

  describe('recommend', () => {
    it('suits users of a theme with items of that theme', async () => {
      for (const t of [0, 1, 2, 3]) {
        const { results, stats } = await opened().recommend(`user-${t}-3`, { k: 5 });
        expect(stats.space).toBe('cf');
        expect(results.filter(({ id }) => themeOf(id) === themes[t]).length).toBeGreaterThanOrEqual(4);
      }
    });

    it('scores by the inner product of user and item, so that an exact search over all items is in its order', async () => {
      const { results } = await opened().recommend('user-2-0', { k: 300, exact: true, excludeSeen: false });
      expect(results).toHaveLength(inCf.length);
      const scores = results.map(({ score }) => score);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
      const seen = results.filter(({ id }) => likes.get('user-2-0')?.includes(id) && themeOf(id) === 'opera');
      expect(Math.min(...seen.map(({ score }) => score))).toBeGreaterThan(0.3);
    });

    it('never gives what the user has, unless asked, and always min(k, matching) items', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...likes.keys()),
          fc.integer({ min: 1, max: 200 }),
          fc.constantFrom('cf', 'text'),
          fc.subarray(itemIds),
          fc.boolean(),
          async (user, k, space, deny, excludeSeen) => {
            const found = ids(await opened().recommend(user, { k, space, deny, excludeSeen }));
            const known = space === 'cf' ? inCf : inText;
            const matching = known.filter(
              (id) => !deny.includes(id) && !(excludeSeen && likes.get(user)!.includes(id)),
            );
            expect(found).toHaveLength(Math.min(k, matching.length));
            expect(new Set(found).size).toBe(found.length);
            expect(found.every((id) => matching.includes(id))).toBe(true);
          },
        ),
      );
    });

    it('answers in a space without users from what the user interacted with', async () => {
      const { results, stats } = await opened().recommend('user-1-4', { space: 'text', k: 5 });
      expect(stats.space).toBe('text');
      expect(results.filter(({ id }) => themeOf(id) === 'desert').length).toBeGreaterThanOrEqual(4);
    });
  });

  describe('recommendFor', () => {
    it('suits somebody new by a few picks, which never come back', async () => {
      for (const space of ['cf', 'text']) {
        const picks = [{ item: 'glacier-1' }, { item: 'glacier-2', weight: 2 }, { item: 'glacier-9' }];
        const { results } = await opened().recommendFor(picks, { space, k: 6 });
        expect(results.filter(({ id }) => themeOf(id) === 'glacier').length).toBeGreaterThanOrEqual(5);
        expect(ids({ results }).some((id) => picks.some(({ item }) => item === id))).toBe(false);
      }
      const kept = await opened().recommendFor([{ item: 'glacier-1' }], { k: 200, excludeSeen: false });
      expect(ids(kept)).toContain('glacier-1');
    });

    it('places a newcomer with a user’s history where the user is', async () => {
      for (const user of ['user-0-0', 'user-3-7']) {
        const history = likes.get(user)!.map((item) => ({ item }));
        const asUser = await opened().recommend(user, { k: 10, exact: true });
        const asNewcomer = await opened().recommendFor(history, { k: 10, exact: true });
        expect(ids(asNewcomer).filter((id) => ids(asUser).includes(id)).length).toBeGreaterThanOrEqual(8);
      }
    });

    it('lets the heavier pick decide', async () => {
      const towards = async (river: number, opera: number) => {
        const history = [
          { item: 'river-2', weight: river },
          { item: 'opera-2', weight: opera },
        ];
        const { results } = await opened().recommendFor(history, { k: 10 });
        return results.filter(({ id }) => themeOf(id) === 'river' || id.startsWith('mute')).length;
      };
      expect(await towards(20, 0.05)).toBeGreaterThan(await towards(0.05, 20));
    });

    it('moves away from what was disliked, also where users have vectors', async () => {
      for (const space of ['cf', 'text']) {
        const scoreOf = async (weight: number) => {
          const history = [{ item: 'river-2' }, { item: 'opera-2', ...(weight === 0 ? {} : { weight }) }].slice(
            0,
            weight === 0 ? 1 : 2,
          );
          const { results } = await opened().recommendFor(history, { space, k: 200, exact: true });
          const operas = results.filter(({ id }) => themeOf(id) === 'opera' && id !== 'opera-2');
          return operas.reduce((sum, { score }) => sum + score, 0) / operas.length;
        };
        const [disliked, unsaid, liked] = [await scoreOf(-20), await scoreOf(0), await scoreOf(20)];
        expect(disliked).toBeLessThan(unsaid);
        expect(unsaid).toBeLessThan(liked);
      }
    });

    it('adds up picks of the same item', async () => {
      const twice = await opened().recommendFor([{ item: 'river-2' }, { item: 'opera-2' }, { item: 'river-2' }], {
        k: 20,
      });
      const heavy = await opened().recommendFor([{ item: 'river-2', weight: 2 }, { item: 'opera-2' }], { k: 20 });
      expect(twice.results).toEqual(heavy.results);
    });

    it('passes over picks without a vector, and takes the next space where none has one', async () => {
      const mixed = await opened().recommendFor([{ item: 'lonely-0' }, { item: 'opera-4' }]);
      expect(mixed.stats.space).toBe('cf');
      expect(ids(mixed)).not.toContain('lonely-0');
      expect((await opened().recommendFor([{ item: 'lonely-0' }])).stats.space).toBe('text');
      await expect(opened().recommendFor([{ item: 'lonely-0' }], { space: 'cf' })).rejects.toMatchObject({
        code: 'NO_VECTOR',
      });
    });
  });

  describe('finding items', () => {
    it('resolves an id, a title in any spelling, and words that one title fits best', () => {
      expect(opened().resolveItem('opera-5')).toBe('opera-5');
      expect(opened().resolveItem('the OPERA garden (1955)')).toBe('opera-5');
      expect(opened().resolveItem('xq1zy')).toBe('mute-1');
      expect(opened().resolveItem('garden opera 1955')).toBe('opera-5');
    });

    it('names candidates where words fit several items or none', () => {
      expect(() => opened().resolveItem('opera garden')).toThrow(
        expect.objectContaining({ code: 'UNKNOWN_ITEM', message: expect.stringMatching(/5 items fit.*opera-/) }),
      );
      expect(() => opened().resolveItem('opra gardn')).toThrow(
        expect.objectContaining({ code: 'UNKNOWN_ITEM', message: expect.stringMatching(/opera garden/) }),
      );
      expect(() => opened().item('opera-99')).toThrow(expect.objectContaining({ code: 'UNKNOWN_ITEM' }));
    });

    it('lists titles that begin with the words before those that have them, most interacted first', () => {
      const found = opened().findItems('the opera', { limit: 100 });
      expect(found).toHaveLength(30);
      const counts = found.map(({ interactions }) => interactions);
      expect(counts).toEqual([...counts].sort((a, b) => b - a));
      expect(
        opened()
          .findItems('gard oper', { limit: 100 })
          .map(({ id }) => id)
          .sort(),
      ).toEqual(['opera-5', 'opera-11', 'opera-17', 'opera-23', 'opera-29'].sort());
      expect(opened().findItems('').length).toBe(10);
      expect(opened().findItems('zzz')).toEqual([]);
    });
  });

  describe('what a question may not ask', () => {
    it('refuses options of the wrong kind, and names the nearest for an unknown one', async () => {
      await refused(
        () => opened().similarItems('river-1', { k: 0 }),
        'INVALID_ARGUMENT',
        /k: expected an integer from 1 to 10000, got 0/,
      );
      await refused(() => opened().similarItems('river-1', { k: 10_001 }), 'INVALID_ARGUMENT', /k:/);
      await refused(() => opened().similarItems('river-1', { k: 2.5 }), 'INVALID_ARGUMENT', /k:/);
      await refused(() => opened().similarItems('river-1', { k: Number.NaN }), 'INVALID_ARGUMENT', /k:/);
      await refused(() => opened().similarItems('river-1', { efSearch: 0 }), 'INVALID_ARGUMENT', /efSearch/);
      await refused(() => opened().similarItems('river-1', { exact: 'yes' } as never), 'INVALID_ARGUMENT', /exact/);
      await refused(() => opened().similarItems('river-1', { deny: 'river-2' } as never), 'INVALID_ARGUMENT', /deny/);
      await refused(() => opened().similarItems('river-1', { deny: [3] } as never), 'INVALID_ARGUMENT', /deny\[0\]/);
      await refused(
        () => opened().similarItems('river-1', { spase: 'cf' } as never),
        'UNKNOWN_OPTION',
        /Did you mean "space"/,
      );
      await refused(
        () => opened().similarItems('river-1', { excludeSeen: true } as never),
        'UNKNOWN_OPTION',
        /excludeSeen/,
      );
      await refused(() => opened().similarItems('river-1', null as never), 'INVALID_ARGUMENT', /options/);
      await refused(() => opened().similarItems(7 as never), 'INVALID_ARGUMENT', /item: expected a string/);
      await refused(
        () => opened().recommend('user-0-0', { excludeSeen: 1 } as never),
        'INVALID_ARGUMENT',
        /excludeSeen/,
      );
      await refused(() => opened().findItems('x', { limit: 0 }), 'INVALID_ARGUMENT', /limit/);
      await refused(() => opened().findItems(undefined as never), 'INVALID_ARGUMENT', /query/);
    });

    it('refuses histories that say nothing', async () => {
      await refused(() => opened().recommendFor(undefined as never), 'INVALID_ARGUMENT', /history/);
      await refused(
        () => opened().recommendFor([{ item: 'river-1', weight: 0 }]),
        'INVALID_ARGUMENT',
        /history\[0\]\.weight/,
      );
      await refused(
        () => opened().recommendFor([{ item: 'river-1', weight: Number.POSITIVE_INFINITY }]),
        'INVALID_ARGUMENT',
        /weight/,
      );
      await refused(() => opened().recommendFor([{}] as never), 'INVALID_ARGUMENT', /history\[0\]\.item/);
      await refused(
        () => opened().recommendFor([{ item: 'river-1', wieght: 1 }] as never),
        'UNKNOWN_OPTION',
        /Did you mean "weight"/,
      );
      await refused(() => opened().recommendFor([{ item: 'rivr-1' }]), 'UNKNOWN_ITEM', /rivr-1/);
    });

    it('refuses unknown items, users and spaces', async () => {
      await refused(() => opened().similarItems('river-999'), 'UNKNOWN_ITEM', /river-999/);
      await refused(() => opened().recommend('nobody'), 'UNKNOWN_USER', /nobody/);
      await refused(() => opened().similarItems('river-1', { space: 'txt' }), 'UNKNOWN_SPACE', /Did you mean "text"/);
      await refused(() => opened().recommend('user-0-0', { space: 'image' }), 'UNKNOWN_SPACE', /cf, text/);
    });

    it('stops at a signal', async () => {
      const signal = AbortSignal.abort();
      await refused(() => opened().similarItems('river-1', { signal }), 'ABORTED', /abort/);
    });
  });
}
