import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StringIndex } from '../../src/retrieval/string-index.js';
import { StringList } from '../../src/retrieval/string-list.js';

const texts = fc.array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.constantFrom('a', 'ab', 'abc', '')), {
  maxLength: 40,
});
const wellFormed = (text: string) => Buffer.from(text, 'utf8').toString('utf8') === text;

describe('StringIndex', () => {
  it('gives every string back, finds all that are equal and all that begin alike', async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.string({ unit: 'grapheme', maxLength: 3 }), async (strings, query) => {
        fc.pre(strings.every(wellFormed) && wellFormed(query));
        const index = new StringIndex(await StringIndex.index(strings));
        expect(index.size).toBe(strings.length);
        expect(strings.map((_, i) => index.at(i))).toEqual(strings);
        for (const text of [query, ...strings]) {
          const equal = strings.flatMap((s, i) => (s === text ? [i] : []));
          const beginning = strings.flatMap((s, i) => (s.startsWith(text) ? [i] : []));
          expect([...index.findAll(text)]).toEqual(equal);
          expect(index.find(text)).toBe(equal[0]);
          const found = [...index.startingWith(text)];
          expect(found.toSorted((a, b) => a - b)).toEqual(beginning);
          expect(found.slice(0, equal.length)).toEqual(equal);
        }
      }),
    );
  });

  it('refuses stored parts that contradict each other', async () => {
    const packed = await StringIndex.index(['a', 'bc']);
    expect(() => new StringList({ ...packed, offsets: Uint32Array.of(0, 2, 1) })).toThrow(/backwards/);
    expect(() => new StringList({ ...packed, offsets: Uint32Array.of(0, 1) })).toThrow(/bytes/);
    expect(() => new StringIndex({ ...packed, order: Uint32Array.of(0, 9) })).toThrow(/refers to string 9/);
    expect(() => new StringIndex({ ...packed, order: Uint32Array.of(0) })).toThrow(/another length/);
  });
});
