import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import { DatasetBuilder } from '../../src/data/dataset-builder.js';
import { filterInteractions, parseInteractionFilter } from '../../src/data/interaction-filter.js';
import { attributesOf, interactionsOf } from './support/dataset-view.js';
import { nighError } from './support/expect-error.js';

const origin = { name: 'test', licence: 'none', source: 'here' };
const itemIds = ['a', 'b', 'c', 'd', 'e'];

function dataset(pairs: readonly { user: string; item: string; value: number }[]) {
  const builder = new DatasetBuilder(origin, { timestamps: true, columns: { name: 'text' } });
  for (const id of itemIds) builder.addItem(id, `title ${id}`, { name: `name ${id}` });
  for (const [at, { user, item, value }] of pairs.entries()) builder.addInteraction(user, item, value, at);
  return builder.build();
}

const pairs = fc.uniqueArray(
  fc.record({
    user: fc.constantFrom('u', 'v', 'w', 'x', 'y'),
    item: fc.constantFrom(...itemIds),
    value: fc.integer({ min: 1, max: 5 }),
  }),
  { selector: ({ user, item }) => `${user} ${item}`, maxLength: 25 },
);

const filters = fc.record({
  minValue: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
  minUserInteractions: fc.integer({ min: 1, max: 4 }),
  minItemInteractions: fc.integer({ min: 0, max: 4 }),
  maxUserInteractions: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
  maxUserDeviations: fc.option(fc.double({ min: 0.2, max: 2, noNaN: true }), { nil: undefined }),
});

describe('filterInteractions', () => {
  it('leaves what is left when thin users and items are struck out one at a time until there are none', () => {
    fc.assert(
      fc.property(pairs, filters, (list, filter) => {
        let left = list.filter(({ value }) => value >= (filter.minValue ?? 0));
        const counts = new Map<string, number>();
        for (const { user } of left) counts.set(user, (counts.get(user) ?? 0) + 1);
        const mean = left.length / counts.size;
        const deviation = Math.sqrt([...counts.values()].reduce((sum, n) => sum + (n - mean) ** 2, 0) / counts.size);
        left = left.filter(
          ({ user }) =>
            counts.get(user)! <= (filter.maxUserInteractions ?? 5) &&
            counts.get(user)! <= mean + (filter.maxUserDeviations ?? 99) * deviation,
        );
        let items = [...itemIds];
        for (;;) {
          const thinItem = items.find(
            (id) => left.filter(({ item }) => item === id).length < filter.minItemInteractions,
          );
          const thinUser = left.find(
            ({ user }) => left.filter((other) => other.user === user).length < filter.minUserInteractions,
          )?.user;
          if (thinItem === undefined && thinUser === undefined) break;
          items = items.filter((id) => id !== thinItem);
          left = left.filter(({ user, item }) => user !== thinUser && items.includes(item));
        }
        const before = dataset(list);
        const empty = items.length === 0 || (list.length > 0 && left.length === 0);
        if (empty) {
          expect(() => filterInteractions(before, filter)).toThrow(nighError('EMPTY_DATASET', 'test'));
          return;
        }
        const after = filterInteractions(before, filter);
        expect([...after.items.terms]).toEqual(items);
        expect(new Set(after.users.terms)).toEqual(new Set(left.map(({ user }) => user)));
        const times = new Map([...interactionsOf(after)].map(([key, [value]]) => [key, value]));
        expect(times).toEqual(new Map(left.map(({ user, item, value }) => [`${user} ${item}`, value])));
        for (const [key, entry] of interactionsOf(after)) expect(entry).toEqual(interactionsOf(before).get(key));
        for (const id of items) {
          expect(after.titles[after.items.ordinal(id)!]).toBe(`title ${id}`);
          expect(attributesOf(after, id)).toEqual({ name: `name ${id}` });
        }
      }),
    );
  });

  it('gives back the same dataset where nothing is too thin', () => {
    const before = dataset([{ user: 'u', item: 'a', value: 3 }]);
    expect(filterInteractions(before, parseInteractionFilter({}, 'filter'))).toBe(before);
  });

  it('keeps a catalogue that never had interactions', () => {
    const before = dataset([]);
    expect(filterInteractions(before, parseInteractionFilter({ minUserInteractions: 5 }, 'filter')).items.size).toBe(5);
  });
});

describe('parseInteractionFilter', () => {
  it.each([
    [{ minItemInteraction: 3 }, 'UNKNOWN_OPTION', 'minItemInteractions'],
    [{ minUserInteractions: 0 }, 'INVALID_ARGUMENT', 'dataset.filter.minUserInteractions'],
    [{ minItemInteractions: 1.5 }, 'INVALID_ARGUMENT', 'dataset.filter.minItemInteractions'],
    [{ minValue: '4' }, 'INVALID_ARGUMENT', 'dataset.filter.minValue'],
    [[], 'INVALID_ARGUMENT', 'dataset.filter'],
  ] as const)('refuses %j', (value, code, text) => {
    expect(() => parseInteractionFilter(value, 'dataset.filter')).toThrow(NighError);
    expect(() => parseInteractionFilter(value, 'dataset.filter')).toThrow(nighError(code, text));
  });
});
