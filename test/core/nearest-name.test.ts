import { describe, expect, it } from 'vitest';
import { didYouMean, nearestName } from '../../src/core/nearest-name.js';

const known = ['delimiter', 'encoding', 'items', 'interactions'];

describe('nearestName', () => {
  it.each([
    ['delimeter', 'delimiter'],
    ['item', 'items'],
    ['itmes', 'items'],
    ['ITEMS', 'items'],
    ['interaction', 'interactions'],
  ])('finds for %s the name %s', (wanted, expected) => {
    expect(nearestName(wanted, known)).toBe(expected);
  });

  it('finds nothing for a name that is like none', () => {
    expect(nearestName('zebra', known)).toBeUndefined();
    expect(nearestName('items', [])).toBeUndefined();
    expect(didYouMean('zebra', known)).toBe('');
  });
});
