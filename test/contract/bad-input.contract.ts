import { describe, expect, test } from 'vitest';
import { IdSet } from '../../src/index/id-set.js';
import { isSync } from '../../src/index/vector-index.js';
import { expectCode, withIndex } from './expectations.js';
import { clustered, rowOf } from './matrices.js';
import type { BuildChoice, Subject } from './subjects.js';

const matrix = clustered(60, 4, 15);

/** A value that TypeScript would not let through, as JavaScript does. */
const as = <T>(value: unknown): T => value as T;

/** What is refused, with which code; the index answers as before afterwards. */
export function badInputContract(subject: Subject): void {
  describe('bad input', () => {
    test.each<[string, string, unknown, unknown, unknown]>([
      ['a query that is too short', 'DIMENSION_MISMATCH', new Float32Array(3), 5, {}],
      ['a query that is too long', 'DIMENSION_MISMATCH', new Float32Array(5), 5, {}],
      ['an empty query', 'DIMENSION_MISMATCH', new Float32Array(), 5, {}],
      ['a plain array', 'INVALID_ARGUMENT', [1, 2, 3, 4], 5, {}],
      ['a Float64Array', 'INVALID_ARGUMENT', new Float64Array(4), 5, {}],
      ['no query', 'INVALID_ARGUMENT', undefined, 5, {}],
      ['NaN in the query', 'NOT_FINITE', Float32Array.of(1, Number.NaN, 1, 1), 5, {}],
      ['infinity in the query', 'NOT_FINITE', Float32Array.of(1, 1, 1, Number.NEGATIVE_INFINITY), 5, {}],
      ['k of 0', 'INVALID_ARGUMENT', rowOf(matrix, 0), 0, {}],
      ['a negative k', 'INVALID_ARGUMENT', rowOf(matrix, 0), -1, {}],
      ['a broken k', 'INVALID_ARGUMENT', rowOf(matrix, 0), 1.5, {}],
      ['k of NaN', 'INVALID_ARGUMENT', rowOf(matrix, 0), Number.NaN, {}],
      ['k as text', 'INVALID_ARGUMENT', rowOf(matrix, 0), '5', {}],
      ['a recall of 1', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { recall: 1 }],
      ['a recall of 0', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { recall: 0 }],
      ['recall as text', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { recall: '0.9' }],
      ['recall beside efSearch', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { recall: 0.9, efSearch: 64 }],
      ['within of NaN', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { within: Number.NaN }],
      ['an infinite k', 'INVALID_ARGUMENT', rowOf(matrix, 0), Number.POSITIVE_INFINITY, {}],
      ['efSearch of 0', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { efSearch: 0 }],
      ['a broken efSearch', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { efSearch: 2.5 }],
      ['refineFactor of 0', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { refineFactor: 0 }],
      ['exact as text', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { exact: 'yes' }],
      ['a filter that is an array', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { filter: [1, 2] }],
      ['a filter that pretends', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { filter: Object.create(IdSet.prototype) }],
      ['a signal that is none', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, { signal: { aborted: false } }],
      ['options that are text', 'INVALID_ARGUMENT', rowOf(matrix, 0), 5, 'exact'],
      ['an unknown option', 'UNKNOWN_OPTION', rowOf(matrix, 0), 5, { efsearch: 10 }],
    ])('%s: %s', async (_, code, query, k, options) => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        await expectCode(index.search(as(query), as(k), as(options)), code);
        if (isSync(index)) {
          expect(() => index.searchSync(as(query), as(k), as(options))).toThrow(expect.objectContaining({ code }));
        }
        if (query instanceof Float32Array) {
          const queries = { data: query, rows: 1, dim: query.length };
          await expectCode(
            index.searchBatch(queries, as(k), as(options)),
            query.length === 0 ? 'INVALID_ARGUMENT' : code,
          );
        }
        expect((await index.search(rowOf(matrix, 7), 1, { exact: true })).ids[0]).toBe(7);
      });
    });

    test('an unknown option is answered with the nearest known one', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        await expect(index.search(rowOf(matrix, 0), 5, as({ efsearch: 10 }))).rejects.toThrow('"efSearch"');
      });
      await expect(subject.build(matrix, as({ metirc: 'l2' }))).rejects.toThrow('"metric"');
    });

    test('a query of length zero is refused under cosine and fine elsewhere', async () => {
      await withIndex(subject.build(matrix, { metric: 'cosine' }), async (index) => {
        await expectCode(index.search(new Float32Array(4), 5), 'ZERO_VECTOR');
        await expectCode(index.searchBatch({ data: new Float32Array(8), rows: 2, dim: 4 }, 5), 'ZERO_VECTOR');
      });
      await withIndex(subject.build(matrix, { metric: 'ip' }), async (index) => {
        expect((await index.search(new Float32Array(4), 5)).ids.length).toBe(5);
      });
    });

    test.each<[string, string, unknown]>([
      ['one row of another length', 'DIMENSION_MISMATCH', { data: new Float32Array(11), rows: 3, dim: 4 }],
      ['rows of another dimension', 'DIMENSION_MISMATCH', { data: new Float32Array(15), rows: 3, dim: 5 }],
      ['numbers in an array', 'INVALID_ARGUMENT', { data: [1, 2, 3, 4], rows: 1, dim: 4 }],
      ['dim of 0', 'INVALID_ARGUMENT', { data: new Float32Array(), rows: 0, dim: 0 }],
      ['NaN', 'NOT_FINITE', { data: Float32Array.of(1, 2, 3, 4, 5, Number.NaN, 7, 8), rows: 2, dim: 4 }],
      ['nothing', 'INVALID_ARGUMENT', undefined],
    ])('a batch of queries with %s: %s', async (_, code, queries) => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        await expectCode(index.searchBatch(as(queries), 5), code);
      });
    });

    test('a batch whose answer no memory could hold is refused', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        await expectCode(
          index.searchBatch({ data: new Float32Array(400), rows: 100, dim: 4 }, 2 ** 45),
          'OUT_OF_MEMORY',
        );
      });
    });

    const reserved = new Uint32Array(60).map((_, r) => (r === 30 ? 0xffffffff : r));
    const repeated = new Uint32Array(60).map((_, r) => (r === 59 ? 3 : r));
    const withValue = (value: number) => ({ ...matrix, data: matrix.data.map((old, at) => (at === 77 ? value : old)) });
    const zeroRow = { ...matrix, data: matrix.data.map((old, at) => (at >> 2 === 9 ? 0 : old)) };
    test.each<[string, string, unknown, unknown]>([
      ['NaN', 'NOT_FINITE', withValue(Number.NaN), { metric: 'l2' }],
      ['an infinity', 'NOT_FINITE', withValue(Number.POSITIVE_INFINITY), { metric: 'ip' }],
      ['a zero vector under cosine', 'ZERO_VECTOR', zeroRow, { metric: 'cosine' }],
      ['an id that comes twice', 'DUPLICATE_ID', matrix, { metric: 'l2', ids: repeated }],
      ['the reserved id', 'INVALID_ARGUMENT', matrix, { metric: 'l2', ids: reserved }],
      ['too few ids', 'INVALID_ARGUMENT', matrix, { metric: 'l2', ids: new Uint32Array(59) }],
      [
        'a negative id',
        'INVALID_ARGUMENT',
        { ...matrix, rows: 1, data: new Float32Array(4) },
        { metric: 'l2', ids: [-1] },
      ],
      ['ids that are text', 'INVALID_ARGUMENT', matrix, { metric: 'l2', ids: 'abc' }],
      ['no metric', 'INVALID_ARGUMENT', matrix, {}],
      ['another metric', 'INVALID_ARGUMENT', matrix, { metric: 'euclidean' }],
      ['an unknown option', 'UNKNOWN_OPTION', matrix, { metric: 'l2', efConstructoin: 10 }],
      ['no options', 'INVALID_ARGUMENT', matrix, undefined],
      ['data of another length', 'DIMENSION_MISMATCH', { ...matrix, rows: 61 }, { metric: 'l2' }],
      ['data in an array', 'INVALID_ARGUMENT', { data: [1, 2], rows: 1, dim: 2 }, { metric: 'l2' }],
      ['no matrix', 'INVALID_ARGUMENT', null, { metric: 'l2' }],
    ])('building with %s: %s', async (_, code, input, options) => {
      await expectCode(subject.build(as(input), as<BuildChoice>(options)), code);
    });

    test('vector() of something that is no id is refused', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        for (const id of [-1, 1.5, Number.NaN, 2 ** 32, '1', null]) {
          expect(() => index.vector(as(id))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
        }
      });
    });

    test('saving where nothing can be written is an error, and the index goes on', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        await expectCode(index.save('/nonexistent/directory/file.ann'), 'NOT_FOUND');
        await expectCode(index.save(as(7)), 'INVALID_ARGUMENT');
        await expectCode(index.save('a\0b'), 'INVALID_ARGUMENT');
        expect((await index.search(rowOf(matrix, 7), 1)).ids[0]).toBe(7);
      });
    });
  });
}
