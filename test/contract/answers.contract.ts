import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { IdSet } from '../../src/index/id-set.js';
import { isSync, type MetricName } from '../../src/index/vector-index.js';
import { expectSame, expectSound, expectTrue, rowOfBatch, vectorOf, withIndex } from './expectations.js';
import { clustered, line, rowOf, scatteredIds, wholeNumbers } from './matrices.js';
import { nearest, recall } from './oracle.js';
import type { Subject } from './subjects.js';

/** What is asked, and what must come back. */
export function answersContract(subject: Subject): void {
  describe('answers', () => {
    test('points on a line have the neighbours that one sees', async () => {
      await withIndex(subject.build(line(50), { metric: 'l2' }), async (index) => {
        expect(index).toMatchObject({ size: 50, dim: 1, metric: 'l2' });
        expect(index.memoryBytes).toBeGreaterThan(50 * 4);
        const { ids, distances } = await index.search(Float32Array.of(20.25), 4, { exact: true });
        expect(Array.from(ids)).toEqual([20, 21, 19, 22]);
        expect(Array.from(distances)).toEqual([0.0625, 0.5625, 1.5625, 3.0625]);
        expect(ids).toBeInstanceOf(Uint32Array);
        expect(distances).toBeInstanceOf(Float32Array);
      });
    });

    test('ip puts the largest product first, as the most negative distance', async () => {
      const matrix = { data: Float32Array.of(1, 0, 3, 0, -2, 0, 0, 5), rows: 4, dim: 2 };
      await withIndex(subject.build(matrix, { metric: 'ip' }), async (index) => {
        const { ids, distances } = await index.search(Float32Array.of(2, 0), 4);
        expect(Array.from(ids)).toEqual([1, 0, 3, 2]);
        expect(Array.from(distances, (value) => value + 0)).toEqual([-6, -2, 0, 4]);
      });
    });

    test('cosine looks at directions only', async () => {
      const matrix = { data: Float32Array.of(10, 0, 0, 0.001, -7, 0, 3, 3), rows: 4, dim: 2 };
      await withIndex(subject.build(matrix, { metric: 'cosine' }), async (index) => {
        const { ids, distances } = await index.search(Float32Array.of(0, 123), 4);
        expect(Array.from(ids)).toEqual([1, 3, 0, 2]);
        expect(distances[0]).toBeCloseTo(0, 6);
        expect(distances[1]).toBeCloseTo(1 - Math.SQRT1_2, 6);
        expect(distances[2]).toBeCloseTo(1, 6);
        expect(Array.from((await vectorOf(index, 3)) ?? [])).toEqual([
          Math.fround(Math.SQRT1_2),
          Math.fround(Math.SQRT1_2),
        ]);
      });
    });

    test.each(subject.metrics)('exact answers are those of the naive search, %s', async (metric) => {
      const matrix = clustered(700, 17, 1);
      const ids = scatteredIds(matrix.rows);
      await withIndex(subject.build(matrix, { metric, ids }), async (index) => {
        for (let r = 0; r < 40; r++) {
          const query = rowOf(clustered(40, 17, 2), r);
          const result = await index.search(query, 10, { exact: true });
          expectTrue(result, nearest({ matrix, metric, ids }, query, 10));
          expectSound(result, query, { matrix, metric, ids });
          expect(result.stats.plan).toBe('scan');
        }
      });
    });

    test.each(subject.metrics)(
      'searches without efSearch find at least 95 of 100 true neighbours, %s',
      async (metric) => {
        const matrix = clustered(2000, 32, 3);
        const queries = clustered(100, 32, 3);
        await withIndex(subject.build(matrix, { metric }), async (index) => {
          let sum = 0;
          for (let r = 0; r < queries.rows; r++) {
            const query = rowOf(queries, r);
            const result = await index.search(query, 10);
            expectSound(result, query, { matrix, metric });
            expect(result.ids.length).toBe(10);
            sum += recall(result.ids, nearest({ matrix, metric }, query, 10));
          }
          expect(sum / queries.rows).toBeGreaterThanOrEqual(index.capabilities.exact ? 0.999 : 0.95);
        });
      },
    );

    test.each(subject.metrics)(
      'an efSearch below k looks at less and finds k with true distances, %s',
      async (metric) => {
        const matrix = clustered(2000, 32, 4);
        const queries = clustered(20, 32, 40);
        await withIndex(subject.build(matrix, { metric }), async (index) => {
          const visited = [];
          for (const efSearch of [1, 8, 40]) {
            let sum = 0;
            for (let r = 0; r < queries.rows; r++) {
              const query = rowOf(queries, r);
              const result = await index.search(query, 40, { efSearch });
              expectSound(result, query, { matrix, metric });
              expect(result.ids.length).toBe(40);
              sum += result.stats.visited;
            }
            visited.push(sum);
          }
          if (index instanceof HnswIndex) {
            expect(visited[0]).toBeLessThan(visited[1]!);
            expect(visited[1]).toBeLessThan(visited[2]!);
          }
        });
      },
    );

    test('a larger efSearch finds no fewer of the true neighbours', async () => {
      const matrix = clustered(2000, 32, 4);
      const queries = clustered(50, 32, 40);
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        const recallAt = async (efSearch: number) => {
          let sum = 0;
          for (let r = 0; r < queries.rows; r++) {
            const query = rowOf(queries, r);
            sum += recall(
              (await index.search(query, 10, { efSearch })).ids,
              nearest({ matrix, metric: 'l2' }, query, 10),
            );
          }
          return sum / queries.rows;
        };
        const narrow = await recallAt(10);
        const wide = await recallAt(400);
        expect(wide).toBeGreaterThanOrEqual(narrow);
        expect(wide).toBeGreaterThanOrEqual(0.99);
      });
    });

    test('any whole-number matrix, under any ids: exact answers equal the naive search to the bit, ties by id', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            rows: fc.integer({ min: 0, max: 60 }),
            dim: fc.integer({ min: 1, max: 9 }),
            seed: fc.nat(),
            k: fc.integer({ min: 1, max: 80 }),
            scattered: fc.boolean(),
            metric: fc.constantFrom<MetricName>('l2', 'ip'),
          }),
          async ({ rows, dim, seed, k, scattered, metric }) => {
            const matrix = wholeNumbers(rows, dim, seed);
            const ids = scattered ? scatteredIds(rows) : undefined;
            await withIndex(subject.build(matrix, { metric, ids }), async (index) => {
              const queries = wholeNumbers(4, dim, seed + 1);
              for (let r = 0; r < 4; r++) {
                const query = rowOf(queries, r);
                const truth = nearest({ matrix, metric, ids }, query, k);
                const { ids: found, distances } = await index.search(query, k, { exact: true });
                expect(Array.from(found)).toEqual(truth.map(({ id }) => id));
                expect(Array.from(distances, (value) => value + 0)).toEqual(truth.map((entry) => entry.distance + 0));
              }
            });
          },
        ),
        { numRuns: subject.runs },
      );
    });

    test('equal vectors come in the order of their ids', async () => {
      const matrix = { data: new Float32Array(30 * 4).fill(1), rows: 30, dim: 4 };
      const ids = scatteredIds(30);
      await withIndex(subject.build(matrix, { metric: 'cosine', ids }), async (index) => {
        const { ids: found } = await index.search(Float32Array.of(1, 2, 3, 4), 12);
        expect(Array.from(found)).toEqual(Array.from(ids.slice().sort().slice(0, 12)));
      });
    });

    test('a batch gives what single searches give, whatever k and filter', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            k: fc.integer({ min: 1, max: 90 }),
            seed: fc.nat(),
            metric: fc.constantFrom(...subject.metrics),
            filtered: fc.boolean(),
          }),
          async ({ k, seed, metric, filtered }) => {
            const matrix = clustered(70, 6, seed);
            const queries = clustered(13, 6, seed + 1);
            const filter = filtered ? IdSet.deny([1, 5, 8, 13]) : undefined;
            await withIndex(subject.build(matrix, { metric }), async (index) => {
              const batch = await index.searchBatch(queries, k, { filter });
              expect(batch.ids.length).toBe(13 * k);
              for (let r = 0; r < queries.rows; r++) {
                const single = await index.search(rowOf(queries, r), k, { filter });
                expectSame(rowOfBatch(batch, r), single);
                expect(batch.counts[r]).toBe(Math.min(k, filtered ? 66 : 70));
                expect(batch.ids.slice(r * k + batch.counts[r]!, (r + 1) * k).every((id) => id === 0xffffffff)).toBe(
                  true,
                );
                const rest = batch.distances.slice(r * k + batch.counts[r]!, (r + 1) * k);
                expect(rest.every((value) => value === Number.POSITIVE_INFINITY)).toBe(true);
              }
            });
          },
        ),
        { numRuns: Math.ceil(subject.runs / 3) },
      );
    });

    test('searchSync, where there is one, gives what search gives', async () => {
      const matrix = clustered(1500, 24, 5);
      await withIndex(subject.build(matrix, { metric: 'cosine' }), async (index) => {
        expect('searchSync' in index).toBe(index.capabilities.sync);
        if (!isSync(index)) return;
        // k beyond the first answer buffer, too.
        for (const k of [1, 10, 127, 128, 129, 1400, 5000]) {
          const query = rowOf(clustered(1, 24, 6), 0);
          const sync = index.searchSync(query, k, { efSearch: 90 });
          expectSame(sync, await index.search(query, k, { efSearch: 90 }));
          expect(sync.ids.length).toBe(Math.min(k, 1500));
          const kept = Array.from(sync.ids);
          index.searchSync(rowOf(matrix, 9), k);
          expect(Array.from(sync.ids)).toEqual(kept);
        }
      });
    });

    test('k beyond the size gives everything once, also a k of many millions', async () => {
      const matrix = clustered(40, 5, 7);
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        for (const k of [41, 1000, 2 ** 40]) {
          const { ids } = await index.search(rowOf(matrix, 0), k);
          expect(Array.from(ids.slice().sort())).toEqual(Array.from({ length: 40 }, (_, r) => r));
        }
      });
    });

    test('an empty index answers with nothing', async () => {
      await withIndex(
        subject.build({ data: new Float32Array(), rows: 0, dim: 3 }, { metric: 'cosine' }),
        async (index) => {
          expect(index.size).toBe(0);
          expect((await index.search(Float32Array.of(1, 2, 3), 5)).ids.length).toBe(0);
          expect(
            (await index.search(Float32Array.of(1, 2, 3), 5, { exact: true, filter: IdSet.allow([1]) })).ids.length,
          ).toBe(0);
          const batch = await index.searchBatch({ data: Float32Array.of(1, 2, 3), rows: 1, dim: 3 }, 2);
          expect(Array.from(batch.counts)).toEqual([0]);
          expect(Array.from(batch.ids)).toEqual([0xffffffff, 0xffffffff]);
          expect(await vectorOf(index, 0)).toBeUndefined();
        },
      );
    });

    test('a batch of no queries is answered with no rows', async () => {
      await withIndex(subject.build(line(5), { metric: 'l2' }), async (index) => {
        const batch = await index.searchBatch({ data: new Float32Array(), rows: 0, dim: 1 }, 3);
        expect(batch.counts.length + batch.ids.length + batch.distances.length).toBe(0);
      });
    });

    test('a vector comes back as it was given, by its id; under cosine at unit length', async () => {
      const matrix = clustered(300, 11, 8);
      const ids = scatteredIds(300);
      for (const metric of subject.metrics) {
        await withIndex(subject.build(matrix, { metric, ids }), async (index) => {
          for (const r of [0, 1, 150, 299]) {
            const stored = await vectorOf(index, ids[r]!);
            const given = rowOf(matrix, r);
            const length = metric === 'cosine' ? Math.hypot(...given) : 1;
            expect(stored?.length).toBe(11);
            for (let j = 0; j < 11; j++) expect(stored?.[j]).toBeCloseTo(given[j]! / length, 6);
            stored?.fill(0);
            expect((await vectorOf(index, ids[r]!))?.some((value) => value !== 0)).toBe(true);
          }
          expect(await vectorOf(index, 7)).toBeUndefined();
        });
      }
    });

    test('views of a larger buffer, and shared memory, are read where they lie', async () => {
      const whole = clustered(210, 8, 9);
      const view = { data: whole.data.subarray(5 * 8, 205 * 8), rows: 200, dim: 8 };
      const shared = { data: new Float32Array(new SharedArrayBuffer(200 * 8 * 4)), rows: 200, dim: 8 };
      shared.data.set(view.data);
      const sharedIds = new Uint32Array(new SharedArrayBuffer(200 * 4)).map((_, r) => r * 3);
      const query = new Float32Array(new SharedArrayBuffer(8 * 4));
      query.set(rowOf(whole, 3));
      await withIndex(subject.build(view, { metric: 'l2' }), async (a) => {
        await withIndex(subject.build(shared, { metric: 'l2', ids: sharedIds }), async (b) => {
          const one = await a.search(rowOf(whole, 3), 5, { exact: true });
          const other = await b.search(query, 5, { exact: true });
          expect(Array.from(other.ids)).toEqual(Array.from(one.ids, (id) => id * 3));
          expectTrue(one, nearest({ matrix: view, metric: 'l2' }, query, 5));
          const batch = await b.searchBatch({ data: query, rows: 1, dim: 8 }, 5, { exact: true });
          expectSame(rowOfBatch(batch, 0), other);
        });
      });
    });

    test('the input is copied: changing it afterwards changes nothing', async () => {
      const matrix = clustered(100, 4, 10);
      const ids = scatteredIds(100);
      const query = rowOf(matrix, 0);
      await withIndex(subject.build(matrix, { metric: 'l2', ids }), async (index) => {
        const before = await index.search(query, 5, { exact: true });
        matrix.data.fill(0);
        ids.fill(1);
        const pending = index.search(query, 5, { exact: true });
        query.fill(99);
        expectSame(await pending, before);
      });
    });
  });
}
