import { expect, test } from 'vitest';
import { protocolNames, splitsOf, validationSplit } from '../../src/evaluation/recipe-splits.js';
import { places, randomRatings } from './random-matrix.js';

const interactions = randomRatings(60, 40, 0.3, 7);
/** A time for every entry, none twice. */
const timestamps = Float64Array.from({ length: interactions.entries }, (_, e) => 1000 + ((e * 7919) % 100_003));
const options = { seed: 5, testShare: 0.2, folds: 4 };

test.each(protocolNames)(
  '%s: parameters are chosen by a part of the training part, never by what is asked for in the end',
  (protocol) => {
    const split = splitsOf({ interactions, timestamps }, { ...options, protocol })[0]!;
    const validation = validationSplit({ interactions, timestamps }, split, { ...options, protocol });
    expect(validation.test.entries).toBeGreaterThan(0);
    // Of strong generalisation the rows are numbered anew.
    const whole = new Set(places(split.train));
    if (protocol !== 'strong-generalization') {
      for (const part of [validation.train, validation.test]) {
        expect(places(part).filter((place) => !whole.has(place))).toEqual([]);
      }
    }
    expect(validation.train.entries).toBeLessThan(split.train.entries);
  },
);

test('temporal: what is chosen by lies between what is learnt from and what is asked for', () => {
  const timed = { ...options, protocol: 'temporal' as const };
  const split = splitsOf({ interactions, timestamps }, timed)[0]!;
  const validation = validationSplit({ interactions, timestamps }, split, timed);
  const all = places(interactions);
  const times = (of: typeof interactions) => {
    const held = new Set(places(of));
    return [...timestamps].filter((_, e) => held.has(all[e]!));
  };
  expect(Math.max(...times(validation.train))).toBeLessThan(Math.min(...times(validation.test)));
  expect(Math.max(...times(validation.test))).toBeLessThan(Math.min(...times(split.test)));
});
