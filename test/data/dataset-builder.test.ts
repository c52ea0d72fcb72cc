import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetBuilder } from '../../src/data/dataset-builder.js';
import { attributesOf, interactionsOf } from './support/dataset-view.js';
import { nighError } from './support/expect-error.js';

const origin = { name: 'test', licence: 'none', source: 'here' };

const events = fc.array(
  fc.record({
    user: fc.constantFrom('u', 'v', 'w'),
    item: fc.constantFrom('a', 'b', 'c'),
    value: fc.integer({ min: -5, max: 5 }),
    time: fc.integer({ min: 0, max: 3 }),
  }),
  { maxLength: 30 },
);

describe('DatasetBuilder', () => {
  it('under "last" keeps of repeated interactions the newest, and of equally new ones the last that was added', () => {
    fc.assert(
      fc.property(events, (list) => {
        const builder = new DatasetBuilder(origin, { merge: 'last', timestamps: true });
        for (const id of ['a', 'b', 'c']) builder.addItem(id, id);
        const expected = new Map<string, number[]>();
        for (const { user, item, value, time } of list) {
          builder.addInteraction(user, item, value, time);
          const old = expected.get(`${user} ${item}`);
          if (old === undefined || time >= old[1]!) expected.set(`${user} ${item}`, [value, time]);
        }
        expect(interactionsOf(builder.build())).toEqual(expected);
      }),
    );
  });

  it('under "sum" adds up the values and keeps the newest time', () => {
    fc.assert(
      fc.property(events, (list) => {
        const builder = new DatasetBuilder(origin, { merge: 'sum', timestamps: true });
        for (const id of ['a', 'b', 'c']) builder.addItem(id, id);
        const expected = new Map<string, number[]>();
        for (const { user, item, value, time } of list) {
          builder.addInteraction(user, item, value, time);
          const [sum, newest] = expected.get(`${user} ${item}`) ?? [0, 0];
          expected.set(`${user} ${item}`, [sum! + value, Math.max(newest!, time)]);
        }
        expect(interactionsOf(builder.build())).toEqual(expected);
      }),
    );
  });

  it('without timestamps keeps the last that was added, and the dataset has no times', () => {
    const builder = new DatasetBuilder(origin);
    builder.addItem('a', 'A');
    builder.addInteraction('u', 'a', 5);
    builder.addInteraction('u', 'a', 2);
    const dataset = builder.build();
    expect(interactionsOf(dataset)).toEqual(new Map([['u a', [2]]]));
    expect(dataset.timestamps).toBeUndefined();
  });

  it('takes interactions before the items they name', () => {
    const builder = new DatasetBuilder(origin, { columns: { year: 'number' } });
    builder.addInteraction('u', 'late', 1);
    builder.addItem('early', 'Early');
    builder.addItem('late', 'Late', { year: 1999 });
    const dataset = builder.build();
    expect(dataset.titles[dataset.items.ordinal('late')!]).toBe('Late');
    expect(attributesOf(dataset, 'late')).toEqual({ year: 1999 });
    expect(attributesOf(dataset, 'early')).toEqual({});
  });

  it('keeps attributes beside their items, and every column as long as the catalogue', () => {
    const builder = new DatasetBuilder(origin, { columns: { about: 'text', year: 'number', tags: 'tags' } });
    builder.addItem('a', 'A', { about: 'a very long description of the item', tags: ['x', 'a tag that is long'] });
    builder.addItem('b', 'B', { year: 0, tags: undefined });
    builder.addItem('c', 'C');
    const dataset = builder.build();
    expect(attributesOf(dataset, 'a')).toEqual({
      about: 'a very long description of the item',
      tags: ['x', 'a tag that is long'],
    });
    expect(attributesOf(dataset, 'b')).toEqual({ year: 0 });
    for (const { values } of dataset.columns.values()) expect(values).toHaveLength(3);
  });

  it('keeps ids whole, whatever they are made of', () => {
    const ids = ['', ' ', '__proto__', 'an id with an umlaut: ü', `a lone half of a pair ${'\ud83d'}`];
    const builder = new DatasetBuilder(origin);
    for (const id of ids) builder.addItem(id, `title of ${id}`);
    for (const id of ids) builder.addInteraction(id, id, 1);
    const dataset = builder.build();
    expect(dataset.items.terms).toEqual(ids);
    expect(dataset.users.terms).toEqual(ids);
    expect(dataset.titles).toEqual(ids.map((id) => `title of ${id}`));
  });

  describe('with interactions of items that the catalogue lacks', () => {
    function mixed(unknownItems?: 'add' | 'skip' | 'error') {
      const builder = new DatasetBuilder(origin, {
        timestamps: true,
        columns: { year: 'number' },
        ...(unknownItems === undefined ? {} : { unknownItems }),
      });
      builder.addInteraction('stranger', 'ghost', 3, 10);
      builder.addItem('a', 'A', { year: 1 });
      builder.addInteraction('u', 'ghost', 4, 11);
      builder.addInteraction('u', 'a', 5, 12);
      builder.addItem('b', 'B', { year: 2 });
      return builder;
    }

    it('"add" lets them join with their ids as titles', () => {
      const dataset = mixed('add').build();
      expect(dataset.titles).toEqual(['ghost', 'A', 'B']);
      expect(attributesOf(dataset, 'ghost')).toEqual({});
      expect(interactionsOf(dataset).get('u ghost')).toEqual([4, 11]);
    });

    it('"skip" leaves out the interactions, the items, and the users who have nothing else', () => {
      const dataset = mixed('skip').build();
      expect(dataset.items.terms).toEqual(['a', 'b']);
      expect(dataset.users.terms).toEqual(['u']);
      expect(dataset.titles).toEqual(['A', 'B']);
      expect(attributesOf(dataset, 'b')).toEqual({ year: 2 });
      expect(interactionsOf(dataset)).toEqual(new Map([['u a', [5, 12]]]));
    });

    it('"error", the default, refuses them and names the first', () => {
      expect(() => mixed('error').build()).toThrow(nighError('INVALID_RECORD', '"ghost"', '1 of the items'));
      expect(() => mixed().build()).toThrow(nighError('INVALID_RECORD', '"ghost"'));
    });
  });

  it('holds a catalogue without interactions', () => {
    const builder = new DatasetBuilder(origin);
    builder.addItem('a', 'A');
    const { interactions, users } = builder.build();
    expect([interactions.rows, interactions.cols, interactions.entries, users.size]).toEqual([0, 1, 0, 0]);
  });

  it('refuses to be built without an item', () => {
    expect(() => new DatasetBuilder(origin).build()).toThrow(nighError('EMPTY_DATASET', 'test'));
    const builder = new DatasetBuilder(origin, { unknownItems: 'skip' });
    builder.addInteraction('u', 'ghost', 1);
    expect(() => builder.build()).toThrow(nighError('EMPTY_DATASET'));
  });

  it('refuses an item that was added before', () => {
    const builder = new DatasetBuilder(origin);
    builder.addItem('a', 'A');
    expect(() => builder.addItem('a', 'B')).toThrow(nighError('DUPLICATE_ID', '"a"'));
    expect(builder.build().titles).toEqual(['A']);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e39])('refuses the value %d', (value) => {
    const builder = new DatasetBuilder(origin);
    expect(() => builder.addInteraction('u', 'a', value)).toThrow(nighError('INVALID_ARGUMENT', 'value'));
  });

  it('refuses a timestamp that is missing, not finite, or not expected', () => {
    const timed = new DatasetBuilder(origin, { timestamps: true });
    expect(() => timed.addInteraction('u', 'a', 1)).toThrow(nighError('INVALID_ARGUMENT', 'timestamp'));
    expect(() => timed.addInteraction('u', 'a', 1, Number.NaN)).toThrow(nighError('INVALID_ARGUMENT', 'timestamp'));
    const timeless = new DatasetBuilder(origin);
    expect(() => timeless.addInteraction('u', 'a', 1, 5)).toThrow(nighError('INVALID_ARGUMENT', 'timestamp'));
    expect([timed.interactionCount, timeless.interactionCount]).toEqual([0, 0]);
  });

  it('refuses attributes of the wrong type and unknown columns, and can go on after that', () => {
    const builder = new DatasetBuilder(origin, { columns: { genres: 'tags', year: 'number', about: 'text' } });
    expect(() => builder.addItem('a', 'A', { genre: ['x'] })).toThrow(nighError('UNKNOWN_OPTION', '"genres"'));
    expect(() => builder.addItem('a', 'A', { genres: 'x' })).toThrow(nighError('INVALID_ARGUMENT', 'genres', '"a"'));
    expect(() => builder.addItem('a', 'A', { about: 'x', year: Number.NaN })).toThrow(nighError('INVALID_ARGUMENT'));
    expect(() => builder.addItem('a', 'A', { about: 7 })).toThrow(nighError('INVALID_ARGUMENT', 'about'));
    builder.addItem('a', 'A', { year: 7 });
    expect(attributesOf(builder.build(), 'a')).toEqual({ year: 7 });
  });

  it('merges a million interactions of which every one comes twice', () => {
    const builder = new DatasetBuilder(origin, { merge: 'sum' });
    for (let item = 0; item < 1000; item++) builder.addItem(`i${item}`, '');
    const users = Array.from({ length: 500 }, (_, user) => builder.userOrdinal(`u${user}`));
    for (let round = 0; round < 2; round++) {
      for (const user of users) for (let item = 999; item >= 0; item--) builder.addInteractionAt(user, item, 1);
    }
    const { interactions } = builder.build();
    expect(interactions.entries).toBe(500_000);
    expect(interactions.values.every((value) => value === 2)).toBe(true);
  });
});
