import { expect, test } from 'vitest';
import { bytes, count, counted, duration, share } from '../../src/cli/quantities.js';

test.each([
  [0.000_004, '0.00 ms'],
  [0.001_234, '1.23 ms'],
  [0.25, '250 ms'],
  [0.9999, '1.0 s'],
  [9.96, '10 s'],
  [12.4, '12 s'],
  [59.6, '1 min 00 s'],
  [61, '1 min 01 s'],
  [3599, '59 min 59 s'],
  [3600, '1 h 00 min'],
  [5400, '1 h 30 min'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [12_345, '12 kB'],
  [999_600, '1.0 MB'],
  [17_300_000, '17 MB'],
  [2_500_000_000, '2.5 GB'],
])('%d bytes are %s', (value, text) => {
  expect(bytes(value)).toBe(text);
});

test('counts are grouped, nouns agree, and a recall just under one is not rounded up to it', () => {
  expect(count(926_384)).toBe('926,384');
  expect(counted(1, 'item')).toBe('1 item');
  expect(counted(0, 'item')).toBe('0 items');
  expect(share(0.99991)).toBe('0.9999');
});
