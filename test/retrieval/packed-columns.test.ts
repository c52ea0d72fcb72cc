import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import type { Column } from '../../src/data/dataset.js';
import { openColumn, packColumn } from '../../src/retrieval/packed-columns.js';

const packr = new Packr({ moreTypes: true, useRecords: true });
const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((s) => Buffer.from(s).toString() === s);
const column: fc.Arbitrary<Column> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), values: fc.array(fc.option(text, { nil: undefined })) }),
  fc.record({
    type: fc.constant('number' as const),
    values: fc.array(fc.option(fc.double({ noNaN: true }), { nil: undefined })),
  }),
  fc.record({ type: fc.constant('tags' as const), values: fc.array(fc.option(fc.array(text), { nil: undefined })) }),
);

describe('packed columns', () => {
  it('come back from a file as they were, empty lists of tags as nothing', () => {
    fc.assert(
      fc.property(column, (given) => {
        const stored = packr.unpack(packr.pack(packColumn(given)));
        const { read } = openColumn('x', stored, given.values.length);
        given.values.forEach((value, item) => {
          expect(read(item)).toEqual(Array.isArray(value) && value.length === 0 ? undefined : value);
        });
      }),
    );
  });

  it('are refused where their parts contradict each other', () => {
    const tags = packColumn({ type: 'tags', values: [['a', 'b'], ['b']] });
    const numbers = packColumn({ type: 'number', values: [1, 2] });
    const texts = packColumn({ type: 'text', values: ['a', undefined] });
    for (const [broken, items] of [
      [numbers, 3],
      [texts, 3],
      [tags, 1],
      [{ ...tags, ordinals: Uint32Array.of(0, 7, 1) }, 2],
      [{ ...tags, offsets: Uint32Array.of(0, 3, 2) }, 2],
      [{ ...texts, present: Uint8Array.of(1) }, 2],
      [{ type: 'date' }, 2],
    ] as const) {
      expect(() => openColumn('x', broken as never, items)).toThrow(expect.objectContaining({ code: 'FORMAT' }));
    }
  });
});
