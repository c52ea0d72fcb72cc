/** What an index that can change must keep to: whatever was done to it, it answers as a map of the last vectors would. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Matrix } from '../../src/core/matrix.js';
import { IdSet } from '../../src/index/id-set.js';
import { openIndex } from '../../src/index/open-index.js';
import { isMutable, type MetricName, type MutableVectorIndex, type VectorIndex } from '../../src/index/vector-index.js';
import { expectCode, expectSound, expectTrue, vectorOf, withIndex } from './expectations.js';
import { clustered, rowOf } from './matrices.js';
import { Model } from './model.js';
import { nearest } from './oracle.js';
import { type Subject, temporaryDirectory } from './subjects.js';

const dim = 6;

/** Vectors that steps choose from: a few, so that equal ones meet. */
const supply = clustered(120, dim, 41);

type Step =
  | { readonly do: 'add' | 'replace' | 'upsert'; readonly ids: number[]; readonly from: number }
  | { readonly do: 'remove'; readonly ids: number[] }
  | { readonly do: 'compact' | 'reopen' | 'verify' }
  | {
      readonly do: 'search';
      readonly from: number;
      readonly k: number;
      readonly listed: number[];
      readonly deny: boolean;
    };

const anyId = fc.integer({ min: 0, max: 80 });
const ids = fc.uniqueArray(anyId, { maxLength: 25 });
const from = fc.nat(supply.rows - 1);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('add', 'replace', 'upsert'), ids, from }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove'), ids }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('compact', 'reopen', 'verify') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('search'),
      from,
      k: fc.integer({ min: 1, max: 90 }),
      listed: ids,
      deny: fc.boolean(),
    }),
  },
);

function rowsFrom(first: number, count: number): Matrix {
  const data = new Float32Array(count * dim);
  for (let i = 0; i < count; i++) data.set(rowOf(supply, (first + i * 7) % supply.rows), i * dim);
  return { data, rows: count, dim };
}

export function liveContract(subject: Subject): void {
  if (subject.changes === undefined) return;
  describe('changes', () => {
    const directory = temporaryDirectory();
    let files = 0;

    const build = async (matrix: Matrix, metric: MetricName, own?: Uint32Array): Promise<MutableVectorIndex> =>
      mutable(await subject.build(matrix, { metric, ids: own }));

    if (subject.changes === 'READ_ONLY') {
      test('are refused by an index that is mapped from its file, which still can be verified', async () => {
        await withIndex(subject.build(clustered(300, dim, 1), { metric: 'l2' }), async (index) => {
          expect(index.capabilities.mutable).toBe(false);
          expect(isMutable(index)).toBe(false);
          const mapped = index as MutableVectorIndex;
          const row = rowsFrom(0, 1);
          await expectCode(mapped.add(row, [1000]), 'READ_ONLY');
          await expectCode(mapped.replace(row, [1]), 'READ_ONLY');
          await expectCode(mapped.remove([1]), 'READ_ONLY');
          await expectCode(mapped.compact(), 'READ_ONLY');
          await expectCode(mapped.verify({ repair: true }), 'READ_ONLY');
          expect(await mapped.verify()).toMatchObject({
            live: 300,
            removed: 0,
            dangling: 0,
            unreachable: 0,
            notFound: 0,
          });
          expect(index.size).toBe(300);
        });
      });
      return;
    }

    test.each(subject.changing ?? subject.metrics)(
      'any sequence of them answers as a map of the last vectors does, under %s',
      async (metric) => {
        await fc.assert(
          fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 40 }), async (steps) => {
            const model = new Model(dim);
            let index = await build(rowsFrom(0, 0), metric);
            try {
              for (const step of steps) {
                if (step.do === 'reopen') {
                  const path = join(directory, `${files++}.ann`);
                  await index.save(path);
                  index.close();
                  index = mutable(await openIndex(path));
                } else {
                  await take(step, index, model, metric);
                }
                expect(index.size).toBe(model.rows.size);
              }
              await compare(index, model, metric);
            } finally {
              index.close();
            }
          }),
          { numRuns: Math.ceil(subject.runs / 4) },
        );
      },
    );

    test('vectors come and go in thousands, and each that stays is found by its own vector', async () => {
      const matrix = clustered(3000, 16, 3);
      const fresh = clustered(3000, 16, 4);
      await withIndex(build(matrix, 'cosine'), async (built) => {
        const index = mutable(built);
        await index.remove(Uint32Array.from({ length: 1500 }, (_, r) => r * 2));
        await index.add(
          { data: fresh.data.subarray(0, 1500 * 16), rows: 1500, dim: 16 },
          Uint32Array.from({ length: 1500 }, (_, r) => 10_000 + r),
        );
        await index.replace(
          { data: fresh.data.subarray(1500 * 16), rows: 1500, dim: 16 },
          Uint32Array.from({ length: 1500 }, (_, r) => r * 2 + 1),
        );
        for (let r = 0; r < 300; r++) {
          await index.remove([10_000 + r]);
          await index.add({ data: rowOf(matrix, r), rows: 1, dim: 16 }, [20_000 + r]);
        }
        expect(index.size).toBe(3000);
        expect(await index.verify()).toMatchObject({
          live: 3000,
          dangling: 0,
          unreachable: 0,
          notFound: 0,
          repaired: 0,
        });
        expect((await index.verify({ repair: true })).repaired).toBe(0);
        await index.compact();
        expect(await index.verify()).toMatchObject({
          live: 3000,
          removed: 0,
          dangling: 0,
          unreachable: 0,
          notFound: 0,
        });
        for (let r = 0; r < 1500; r += 100) {
          const { ids } = await index.search(rowOf(fresh, 1500 + r), 1);
          expect(Array.from(ids)).toEqual([r * 2 + 1]);
        }
      });
    });

    test('searches go on beside changes: always k, never an id twice, never one that was removed before', async () => {
      const matrix = clustered(2000, 12, 5);
      const other = clustered(2000, 12, 6);
      await withIndex(build(matrix, 'l2'), async (built) => {
        const index = mutable(built);
        const removed = new Set<number>();
        let over = false;
        const change = async () => {
          for (let round = 0; round < 20; round++) {
            const gone = Uint32Array.from({ length: 40 }, (_, r) => round * 40 + r);
            await index.remove(gone);
            for (const id of gone) removed.add(id);
            await index.add(
              { data: other.data.subarray(round * 40 * 12, (round + 1) * 40 * 12), rows: 40, dim: 12 },
              Uint32Array.from({ length: 40 }, (_, r) => 5000 + round * 40 + r),
            );
            await index.replace(
              { data: other.data.subarray(1000 * 12, 1100 * 12), rows: 100, dim: 12 },
              Uint32Array.from({ length: 100 }, (_, r) => 1500 + ((r + round) % 500)),
            );
          }
          over = true;
        };
        const search = async () => {
          for (let q = 0; !over; q++) {
            const before = new Set(removed);
            const { ids } = await index.search(rowOf(other, q % 2000), 10);
            expect(new Set(ids).size).toBe(10);
            expect(Array.from(ids).filter((id) => before.has(id))).toEqual([]);
            // Replaced ids are there at every moment.
            const some = Uint32Array.from({ length: 30 }, (_, r) => 1500 + r);
            expect((await index.search(rowOf(other, q % 2000), 40, { filter: IdSet.allow(some) })).ids.length).toBe(30);
          }
        };
        await Promise.all([change(), search(), search()]);
        expect(index.size).toBe(2000);
      });
    });

    test('each is refused whole, with a code that says why', async () => {
      await withIndex(build(clustered(50, dim, 7), 'cosine'), async (built) => {
        const index = mutable(built);
        const two = rowsFrom(0, 2);
        const hole = { data: two.data.map((value, at) => (at === 8 ? Number.NaN : value)), rows: 2, dim };
        const zero = { data: two.data.map((value, at) => (at < dim ? value : 0)), rows: 2, dim };
        const narrow = { data: new Float32Array(8).fill(1), rows: 2, dim: 4 };
        await expectCode(index.add(two, [100, 3]), 'DUPLICATE_ID');
        await expectCode(index.add(two, [100, 100]), 'DUPLICATE_ID');
        await expectCode(index.add(two, [100, 0xffffffff]), 'INVALID_ARGUMENT');
        await expectCode(index.add(two, [100]), 'INVALID_ARGUMENT');
        await expectCode(index.replace(two, [1, 100]), 'UNKNOWN_ID');
        await expectCode(index.replace(two, [1, 1]), 'DUPLICATE_ID');
        for (const change of [
          (matrix: Matrix) => index.add(matrix, [100, 101]),
          (matrix: Matrix) => index.replace(matrix, [1, 2]),
          (matrix: Matrix) => index.replace(matrix, [1, 100], { addMissing: true }),
        ]) {
          await expectCode(change(hole), 'NOT_FINITE');
          await expectCode(change(zero), 'ZERO_VECTOR');
          await expectCode(change(narrow), 'DIMENSION_MISMATCH');
        }
        await expectCode(index.remove([1, 100]), 'UNKNOWN_ID');
        await expectCode(index.remove([-1]), 'INVALID_ARGUMENT');
        await expectCode(index.remove([1], { signal: AbortSignal.abort() }), 'ABORTED');
        await expectCode(index.add(two, [100, 101], { signal: AbortSignal.abort() }), 'ABORTED');
        // @ts-expect-error: no such option
        await expectCode(index.remove([1], { ignoreMising: true }), 'UNKNOWN_OPTION');
        expect(index.size).toBe(50);
        expect(await index.remove([1, 100, 1], { ignoreMissing: true })).toBe(1);
        expect(await index.remove([])).toBe(0);
        expect(index.size).toBe(49);
      });
    });

    test('progress is reported, and a verification can be stopped', async () => {
      const matrix = clustered(1000, dim, 8);
      await withIndex(build(matrix, 'l2'), async (built) => {
        const index = mutable(built);
        const calls: [number, number][] = [];
        const onProgress = (done: number, total: number) => void calls.push([done, total]);
        await index.replace(
          clustered(1000, dim, 9),
          Array.from({ length: 1000 }, (_, r) => r),
          { onProgress },
        );
        expect(calls.at(-1)).toEqual([1000, 1000]);
        await index.verify({ onProgress });
        expect(calls.at(-1)).toEqual([1000, 1000]);
        await expectCode(index.verify({ signal: AbortSignal.abort() }), 'ABORTED');
      });
    });
  });
}

function mutable(index: VectorIndex): MutableVectorIndex {
  if (!isMutable(index)) throw new Error(`expected an index that can change, got ${index.kind}`);
  return index;
}

async function take(step: Step, index: MutableVectorIndex, model: Model, metric: MetricName): Promise<void> {
  switch (step.do) {
    case 'add':
    case 'replace':
    case 'upsert': {
      const matrix = rowsFrom(step.from, step.ids.length);
      const refused = step.do !== 'upsert' && step.ids.some((id) => model.has(id) === (step.do === 'add'));
      const change =
        step.do === 'add'
          ? index.add(matrix, step.ids)
          : index.replace(matrix, step.ids, { addMissing: step.do === 'upsert' });
      if (refused) return expectCode(change, step.do === 'add' ? 'DUPLICATE_ID' : 'UNKNOWN_ID');
      await change;
      model.put(matrix, step.ids);
      return;
    }
    case 'remove': {
      const there = step.ids.filter(model.has);
      if (there.length < step.ids.length) await expectCode(index.remove(step.ids), 'UNKNOWN_ID');
      expect(await index.remove(step.ids, { ignoreMissing: true })).toBe(there.length);
      for (const id of there) model.rows.delete(id);
      return;
    }
    case 'search': {
      const members = new Set(step.listed);
      const filter = step.deny ? IdSet.deny(step.listed) : IdSet.allow(step.listed);
      const allowed = (id: number) => members.has(id) !== step.deny;
      const query = rowOf(supply, step.from);
      const stored = model.matrix();
      const truth = nearest({ ...stored, metric, allowed }, query, step.k);
      expectTrue(await index.search(query, step.k, { filter, exact: true }), truth);
      const found = await index.search(query, step.k, { filter, efSearch: 12 });
      expect(found.ids.length).toBe(truth.length);
      expect(Array.from(found.ids).every(allowed)).toBe(true);
      expectSound(found, query, { ...stored, metric });
      return;
    }
    case 'verify':
      expect(await index.verify()).toMatchObject({ live: model.rows.size, dangling: 0, unreachable: 0, notFound: 0 });
      return;
    case 'compact':
      await index.compact();
      return;
    default:
      throw new Error(`no such step as ${step.do}`);
  }
}

/** Everything in the model is in the index, and nothing else is. */
async function compare(index: MutableVectorIndex, model: Model, metric: MetricName): Promise<void> {
  const stored = model.matrix();
  const query = rowOf(supply, 0);
  expectTrue(await index.search(query, 1000, { exact: true }), nearest({ ...stored, metric }, query, 1000));
  for (let id = 0; id <= 80; id++) expect((await vectorOf(index, id)) !== undefined).toBe(model.has(id));
  const batch = await index.searchBatch(supply, 7, { efSearch: 10 });
  expect(batch.counts.every((count) => count === Math.min(7, model.rows.size))).toBe(true);
  expect(await index.verify()).toMatchObject({ live: model.rows.size, dangling: 0, unreachable: 0, notFound: 0 });
}
