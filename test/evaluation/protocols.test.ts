import { describe, expect, test } from 'vitest';
import { fewShot } from '../../src/evaluation/protocols/few-shot.js';
import { itemCold } from '../../src/evaluation/protocols/item-cold.js';
import { givenFolds, kFold } from '../../src/evaluation/protocols/k-fold.js';
import { leaveOneOut } from '../../src/evaluation/protocols/leave-one-out.js';
import { randomSplit } from '../../src/evaluation/protocols/random-split.js';
import type { Split } from '../../src/evaluation/protocols/split.js';
import { strongGeneralization } from '../../src/evaluation/protocols/strong-generalization.js';
import { temporalSplit } from '../../src/evaluation/protocols/temporal-split.js';
import { places, randomRatings } from './random-matrix.js';

const ratings = randomRatings(60, 40, 0.3, 5);
const seed = 9;

/** Nothing is lost, nothing is both learnt from and asked for. */
function expectPartition({ train, test: asked }: Split): void {
  expect([...places(train), ...places(asked)].sort()).toEqual(places(ratings).sort());
}

describe('protocols', () => {
  test('k-fold holds every interaction out once, in parts of equal size', () => {
    const splits = kFold(ratings, { folds: 5, seed });
    expect(splits.flatMap((split) => places(split.test)).sort()).toEqual(places(ratings).sort());
    for (const split of splits) {
      expectPartition(split);
      expect(Math.abs(split.test.entries - ratings.entries / 5)).toBeLessThan(1);
    }
  });

  test('the same seed splits alike, another differently', () => {
    const held = (each: number) => places(randomSplit(ratings, { testShare: 0.25, seed: each }).test);
    expect(held(1)).toEqual(held(1));
    expect(held(1)).not.toEqual(held(2));
  });

  test('a random split holds out its share and keeps every value at its place', () => {
    const split = randomSplit(ratings, { testShare: 0.25, seed });
    expectPartition(split);
    expect(split.test.entries).toBe(Math.round(ratings.entries * 0.25));
    for (let u = 0; u < 60; u++) {
      split.test.row(u).columns.forEach((item, at) => {
        const whole = ratings.row(u);
        expect(split.test.row(u).values[at]).toBe(whole.values[whole.columns.indexOf(item)]);
      });
    }
  });

  test('leave-one-out holds one out of every user who has two, the newest where there are times', () => {
    const times = Float64Array.from(ratings.columns, (item) => (item * 7919) % 41);
    const split = leaveOneOut(ratings, { seed, timestamps: times });
    expectPartition(split);
    for (let u = 0; u < 60; u++) {
      const { columns } = ratings.row(u);
      const newest = [...columns].sort((a, b) => ((b * 7919) % 41) - ((a * 7919) % 41) || a - b);
      expect([...split.test.row(u).columns]).toEqual(columns.length < 2 ? [] : [newest[0]]);
    }
  });

  test('sampled negatives are distinct items that the user does not have, as many as asked for or as there are', () => {
    for (const count of [5, 1000]) {
      const split = leaveOneOut(ratings, { seed, negatives: count });
      for (let u = 0; u < 60; u++) {
        const own = new Set(ratings.row(u).columns);
        const sampled = [...(split.negatives?.row(u).columns ?? [])];
        const wanted = split.test.row(u).columns.length === 0 ? 0 : Math.min(count, 40 - own.size);
        expect(new Set(sampled).size).toBe(wanted);
        expect(sampled.filter((item) => own.has(item))).toEqual([]);
      }
    }
  });

  test('strong generalisation keeps held-out users out of training and tells the part that was asked for', () => {
    for (const given of [{ share: 0.8 }, { picks: 3 }, { picks: 0 }]) {
      const split = strongGeneralization(ratings, { userShare: 0.2, given, seed });
      expect([split.train.rows, split.test.rows, split.users]).toEqual([48, 12, undefined]);
      expect(split.train.entries + split.test.entries + split.histories.entries).toBe(ratings.entries);
      for (let r = 0; r < 12; r++) {
        const told = split.histories.row(r).columns;
        const asked = split.test.row(r).columns;
        const size = told.length + asked.length;
        expect(told.length).toBe('share' in given ? Math.floor(size * given.share) : Math.min(given.picks, size));
        expect([...told].filter((item) => asked.includes(item))).toEqual([]);
      }
    }
  });

  test('a temporal split learns from nothing that came after what it asks for', () => {
    const times = Float64Array.from(ratings.columns, (item, e) => 1000 + ((item * 31 + e * 17) % 97));
    const split = temporalSplit(ratings, { timestamps: times, testShare: 0.2 });
    expectPartition(split);
    const held = new Set(places(split.test));
    const all = places(ratings);
    const timesOf = (inTest: boolean) => [...times].filter((_, e) => held.has(all[e]!) === inTest);
    expect(Math.max(...timesOf(false))).toBeLessThan(Math.min(...timesOf(true)));
    expect(Math.abs(held.size / all.length - 0.2)).toBeLessThan(0.02);
  });

  test('cold items have no interaction in training, and compete among themselves or with all', () => {
    const cold = { share: 0.25, seed };
    const among = itemCold(ratings, { cold, pool: 'cold' });
    expectPartition(among);
    expect(among.pool).toHaveLength(10);
    const pool = new Set(among.pool);
    expect(among.train.columns.some((item) => pool.has(item))).toBe(false);
    expect(among.test.columns.every((item) => pool.has(item))).toBe(true);
    expect(itemCold(ratings, { cold, pool: 'catalogue' }).pool).toBeUndefined();
  });

  test('few-shot reveals more and more of cold items and asks for the same every time', () => {
    const cold = Uint32Array.of(3, 11);
    const splits = fewShot(ratings, { cold, pool: 'catalogue', shots: [0, 1, 4], seed });
    expect(splits.map((split) => [...cold].map((item) => split.train.columnCounts()[item]))).toEqual([
      [0, 0],
      [1, 1],
      [4, 4],
    ]);
    for (const split of splits) expect(places(split.test)).toEqual(places(splits[0]!.test));
    expect(places(splits[2]!.train)).toEqual(expect.arrayContaining(places(splits[1]!.train)));
    expect(splits[0]!.test.entries).toBe(ratings.columnCounts()[3]! + ratings.columnCounts()[11]! - 8);
  });

  test('what cannot be split is refused', () => {
    const refused = (code: string) => expect.objectContaining({ code });
    expect(() => kFold(ratings, { folds: 1, seed })).toThrow(refused('INVALID_ARGUMENT'));
    expect(() => randomSplit(ratings, { testShare: 1, seed })).toThrow(refused('INVALID_ARGUMENT'));
    expect(() => randomSplit(ratings, { testShare: 0.2, seed: -1 })).toThrow(refused('INVALID_ARGUMENT'));
    expect(() => leaveOneOut(ratings, { seed, timestamps: new Float64Array(2) })).toThrow(refused('INVALID_ARGUMENT'));
    expect(() => temporalSplit(ratings, { timestamps: undefined, testShare: 0.2 })).toThrow(
      refused('INVALID_ARGUMENT'),
    );
    const still = new Float64Array(ratings.entries);
    expect(() => temporalSplit(ratings, { timestamps: still, testShare: 0.2 })).toThrow(refused('EMPTY_DATASET'));
    expect(() => itemCold(ratings, { cold: Uint32Array.of(40), pool: 'cold' })).toThrow(refused('INVALID_ARGUMENT'));
    expect(() => kFold(randomRatings(3, 3, 0, 1), { folds: 2, seed })).toThrow(refused('EMPTY_DATASET'));
    const other = randomRatings(60, 41, 0.3, 5);
    expect(() => givenFolds([{ name: 'u1', train: ratings, test: other }], '')).toThrow(refused('INVALID_ARGUMENT'));
  });
});
