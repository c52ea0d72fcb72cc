import { totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import type { Matrix } from '../../src/core/matrix.js';
import { IdSet } from '../../src/index/id-set.js';
import { isMutable, isSync, type MutableVectorIndex, type VectorIndex } from '../../src/index/vector-index.js';
import { expectCode, expectSame, vectorOf, withIndex } from './expectations.js';
import {
  anyObject,
  bareObjects,
  emptyArrays,
  expectOnlyMistakes,
  left,
  lists,
  mistakes,
  natural,
  numbers,
  outcomeOf,
  type Parameter,
} from './hostile-table.js';
import { detached, hostileValues, unusualArrays } from './hostile-values.js';
import { clustered, rowOf } from './matrices.js';
import { type Subject, temporaryDirectory } from './subjects.js';

const dim = 4;
const matrix = clustered(90, dim, 51);
const query = rowOf(matrix, 7);
// None of the hostile values is one of them.
const ids = Uint32Array.from({ length: 90 }, (_, r) => 1000 + r);
const oneRow: Matrix = { data: query, rows: 1, dim };

/** A value that TypeScript would not let through, as JavaScript does. */
const as = <T>(value: unknown): T => value as T;

/** Options that every search has; the batch has some more. */
const ofSearch: Record<string, readonly string[]> = {
  filter: left,
  efSearch: [...left, ...natural],
  refineFactor: [...left, ...natural],
  exact: [...left, 'true'],
  signal: left,
};
const ofBatch: Record<string, readonly string[]> = {
  ...ofSearch,
  threads: [...left, 'zero', 'minus zero', 'one'],
  onProgress: [...left, 'a function'],
};

function parameters(subject: Subject): Record<string, Parameter<VectorIndex>> {
  const changing = (call: (index: MutableVectorIndex, value: unknown) => unknown): Parameter<VectorIndex>['call'] => {
    return (index, value) => {
      if (!isMutable(index)) throw new NighError('INVALID_ARGUMENT', 'there is no such method');
      return call(index, value);
    };
  };
  const changeable = subject.changes === 'allowed';
  const list: Record<string, Parameter<VectorIndex>> = {
    'the query of search': { call: (index, value) => index.search(as(value), 3) },
    'the k of search': { call: (index, value) => index.search(query, as(value)), fine: natural },
    'the options of search': {
      call: (index, value) => index.search(query, 3, as(value)),
      fine: [...left, ...anyObject],
      perhaps: [...bareObjects, ...emptyArrays],
    },
    'the queries of searchBatch': { call: (index, value) => index.searchBatch(as(value), 3) },
    'the data of searchBatch': { call: (index, value) => index.searchBatch(as({ data: value, rows: 1, dim }), 3) },
    'the rows of searchBatch': {
      call: (index, value) => index.searchBatch(as({ ...oneRow, rows: value }), 3),
      fine: ['one'],
    },
    'the dim of searchBatch': { call: (index, value) => index.searchBatch(as({ ...oneRow, dim: value }), 3) },
    // An answer of 2 ** 32 would be held, and fill the memory of most machines.
    'the k of searchBatch': {
      call: (index, value) => index.searchBatch(oneRow, value === 2 ** 32 ? 0 : as(value)),
      fine: ['one', 'ten million'],
    },
    'the id of vector': {
      call: (index, value) => (index.vectors === undefined ? index.vector(as(value)) : index.vectors(as([value]))),
      fine: ['zero', 'minus zero', 'one', 'ten million'],
    },
    // A text that names a file would be written to.
    'the path of save': { call: (index, value) => index.save(typeof value === 'string' ? '' : as(value)) },
  };
  for (const [name, fine] of Object.entries(ofSearch)) {
    list[`${name} of search`] = { call: (index, value) => index.search(query, 3, as({ [name]: value })), fine };
    list[`${name} of searchSync`] = {
      call: (index, value) =>
        isSync(index)
          ? index.searchSync(query, 3, as({ [name]: value }))
          : index.search(query, 3, as({ [name]: value })),
      fine,
    };
  }
  for (const [name, fine] of Object.entries(ofBatch)) {
    list[`${name} of searchBatch`] = {
      call: (index, value) => index.searchBatch(oneRow, 3, as({ [name]: value })),
      fine,
    };
  }
  if (!changeable) return list;
  return {
    ...list,
    'the matrix of add': { call: changing((index, value) => index.add(as(value), [200])) },
    'the data of add': { call: changing((index, value) => index.add(as({ data: value, rows: 1, dim }), [200])) },
    'the ids of add': { call: changing((index, value) => index.add(oneRow, as(value))) },
    'the threads of add': {
      call: changing((index, value) =>
        index.add({ ...oneRow, rows: 0, data: new Float32Array() }, [], as({ threads: value })),
      ),
      fine: [...left, 'zero', 'minus zero', 'one'],
    },
    'the options of add': {
      call: changing((index, value) => index.add({ ...oneRow, rows: 0, data: new Float32Array() }, [], as(value))),
      fine: [...left, 'an object', 'an object without a prototype'],
    },
    'the ids of replace': { call: changing((index, value) => index.replace(oneRow, as(value))) },
    'addMissing of replace': {
      call: changing((index, value) => index.replace(oneRow, [1007], as({ addMissing: value }))),
      fine: [...left, 'true'],
    },
    'the ids of remove': {
      call: changing((index, value) => index.remove(as(value), { ignoreMissing: true })),
      fine: ['an empty array', 'a detached Uint32Array', ...lists],
      perhaps: ['an empty Float32Array'],
    },
    'ignoreMissing of remove': {
      call: changing((index, value) => index.remove([], as({ ignoreMissing: value }))),
      fine: [...left, 'true'],
    },
    'the threads of compact': {
      call: changing((index, value) => index.compact(as({ threads: value }))),
      fine: [...left, 'zero', 'minus zero', 'one'],
    },
    'repair of verify': {
      call: changing((index, value) => index.verify(as({ repair: value }))),
      fine: [...left, 'true'],
    },
    'efSearch of verify': {
      call: changing((index, value) => index.verify(as({ efSearch: value }))),
      fine: [...left, ...natural],
    },
  };
}

/** No value in any place ends the process or leaves with another error than ours; the index answers as before afterwards. */
export function hostileInputContract(subject: Subject): void {
  describe('hostile input', () => {
    const directory = temporaryDirectory();

    test.each(Object.entries(parameters(subject)))('%s may be any value', async (_, parameter) => {
      await withIndex(subject.build(matrix, { metric: 'l2', ids }), async (index) => {
        const before = await index.search(query, 5, { exact: true });
        await expectOnlyMistakes(parameter, index);
        expectSame(await index.search(query, 5, { exact: true }), before);
        expect(index.size).toBe(90);
      });
    });

    test('within, a distance where the engine takes one, may be any number', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        for (const [name, value] of Object.entries(hostileValues)) {
          const outcome = await outcomeOf(() => index.search(query, 5, as({ within: value() })));
          const allowed =
            numbers.includes(name) || name === 'undefined' ? ['fine', 'UNSUPPORTED', 'UNKNOWN_OPTION'] : [];
          expect([name, [...allowed, ...mistakes, 'UNSUPPORTED'].includes(outcome)]).toEqual([name, true]);
        }
      });
    });

    test('arrays in unusual memory are read like plain ones', async () => {
      const rows = unusualArrays(matrix.data);
      const questions = unusualArrays(query);
      const all = unusualArrays(matrix.data.slice(0, 5 * dim));
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (plain) => {
        const truth = await plain.search(query, 5, { exact: true });
        const batch = await plain.searchBatch({ data: matrix.data.slice(0, 5 * dim), rows: 5, dim }, 3);
        for (const name of Object.keys(rows)) {
          await withIndex(subject.build({ data: rows[name]!, rows: 90, dim }, { metric: 'l2' }), async (index) => {
            expectSame(await index.search(questions[name]!, 5, { exact: true }), truth);
            if (isSync(index)) expectSame(index.searchSync(questions[name]!, 5, { exact: true }), truth);
            const answer = await index.searchBatch({ data: all[name]!, rows: 5, dim }, 3);
            expect([name, answer.counts]).toEqual([name, batch.counts]);
            if (index.capabilities.exact) expectSame(answer, batch);
            if (!isMutable(index)) return;
            await index.replace({ data: questions[name]!, rows: 1, dim }, [7]);
            await index.add({ data: questions[name]!, rows: 1, dim }, [300]);
            expect(await vectorOf(index, 300)).toEqual(query);
          });
        }
      });
    });

    test('a batch whose answer is larger than the memory that is free is refused before any of it is filled', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        const before = process.memoryUsage.rss();
        const k = Math.ceil(totalmem() / 4);
        await expectCode(index.searchBatch(oneRow, k), 'OUT_OF_MEMORY');
        await expectCode(index.searchBatch({ data: matrix.data, rows: 90, dim }, Math.ceil(k / 60)), 'OUT_OF_MEMORY');
        expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 28);
        expect((await index.searchBatch(oneRow, 3, { exact: true })).ids[0]).toBe(7);
      });
    });

    test('k, candidates and refinement of ten million on an index of ninety, and on an empty one', async () => {
      const much = 10_000_000;
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        const { ids } = await index.search(query, much, { efSearch: much, refineFactor: much });
        expect(new Set(ids).size).toBe(90);
        if (isSync(index)) expect(index.searchSync(query, much, { efSearch: much }).ids.length).toBe(90);
      });
      await withIndex(subject.build({ data: new Float32Array(), rows: 0, dim }, { metric: 'l2' }), async (index) => {
        expect((await index.search(query, much, { efSearch: much })).ids.length).toBe(0);
        expect((await index.searchBatch(oneRow, 5)).counts).toEqual(Uint32Array.of(0));
        expect((await index.searchBatch({ data: new Float32Array(), rows: 0, dim }, 5)).counts.length).toBe(0);
        expect((await index.search(query, 5, { filter: IdSet.allow([1, 2]) })).ids.length).toBe(0);
        expect(await vectorOf(index, 0)).toBeUndefined();
        if (!isMutable(index)) return;
        expect(await index.remove([1], { ignoreMissing: true })).toBe(0);
        await index.compact();
        expect(await index.verify({ repair: true })).toMatchObject({ live: 0, notFound: 0, unreachable: 0 });
        await index.add({ data: new Float32Array(), rows: 0, dim }, []);
        await index.add(oneRow, [5]);
        expect(Array.from((await index.search(query, 3)).ids)).toEqual([5]);
      });
    });

    test('the largest and the smallest numbers give ordered answers without NaN', async () => {
      const large = 3e38;
      const values = [large, -large, 1e20, -1e20, 1, -1, 1e-20, 1e-38, 1e-45, 0];
      const rows = 60;
      const data = Float32Array.from({ length: rows * dim }, (_, at) => values[(at * 7 + (at >> 3)) % values.length]!);
      for (const metric of ['l2', 'ip', 'cosine'] as const) {
        const building = subject.build({ data: data.map((v) => (v === 0 ? 1e-30 : v)), rows, dim }, { metric });
        const built = await building.catch((error: unknown) => error);
        if (built instanceof Error) {
          // Codes of a smaller range than float32 cannot hold them.
          expect(built).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('f16') });
          continue;
        }
        await withIndex(Promise.resolve(built as VectorIndex), async (index) => {
          for (const asked of [
            query,
            Float32Array.of(large, large, -large, large),
            Float32Array.of(1e-45, 0, 0, 1e-38),
          ]) {
            for (const options of [{}, { exact: true }, { efSearch: 8 }, { filter: IdSet.allow([1, 2, 3]) }]) {
              const { ids, distances } = await index.search(asked, 7, options);
              expect(ids.length).toBe(options.filter === undefined ? 7 : 3);
              expect([metric, distances.some(Number.isNaN)]).toEqual([metric, false]);
              expect(distances.slice().sort()).toEqual(distances);
            }
          }
        });
      }
    });

    test('a detached matrix is refused; one that is detached after the answer has done no harm', async () => {
      const gone = detached(matrix.data.slice());
      await expectCode(subject.build({ data: gone, rows: 90, dim }, { metric: 'l2' }), 'DIMENSION_MISMATCH');
      const lent = matrix.data.slice();
      await withIndex(subject.build({ data: lent, rows: 90, dim }, { metric: 'l2' }), async (index) => {
        detached(lent);
        expect((await index.search(query, 1, { exact: true })).ids[0]).toBe(7);
      });
    });

    test('what is refused in great numbers at once leaves the index as it was', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        const controller = new AbortController();
        const many = Array.from({ length: 60 }, (_, i) =>
          outcomeOf(() => {
            if (i % 4 === 0) return index.search(Float32Array.of(Number.NaN, 0, 0, 0), 3);
            if (i % 4 === 1) return index.searchBatch(oneRow, 3, { signal: controller.signal });
            if (i % 4 === 2) return index.save(join(directory, 'none', 'file.ann'));
            return index.search(query, 3);
          }),
        );
        controller.abort();
        const outcomes = new Set(await Promise.all(many));
        expect(Array.from(outcomes).every((o) => ['fine', 'NOT_FINITE', 'ABORTED', 'NOT_FOUND'].includes(o))).toBe(
          true,
        );
        expect((await index.search(query, 1, { exact: true })).ids[0]).toBe(7);
      });
    });
  });
}
