import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdSet } from '../../src/index/id-set.js';
import { expectCode, expectSame, expectSound, expectTrue, rowOfBatch, withIndex } from './expectations.js';
import { clustered, rowOf, scatteredIds } from './matrices.js';
import { nearest, recall } from './oracle.js';
import type { Subject } from './subjects.js';

/** A filter, and what it means. */
interface Meant {
  readonly set: IdSet;
  readonly has: (id: number) => boolean;
}

const listed = (ids: readonly number[]): Meant[] => {
  const members = new Set(ids);
  return [
    { set: IdSet.allow(ids), has: (id) => members.has(id) },
    { set: IdSet.deny(ids), has: (id) => !members.has(id) },
  ];
};

/** Any combination of allow, deny, and, or, not over the ids of an index and some others. */
function anyFilter(ids: Uint32Array): fc.Arbitrary<Meant> {
  const anyId = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...ids) }, fc.integer({ min: 0, max: 0xfffffffe }));
  const leaf = fc
    .tuple(fc.uniqueArray(anyId, { maxLength: ids.length }), fc.boolean())
    .map(([some, denied]) => listed(some)[denied ? 1 : 0]!);
  return fc.letrec<{ filter: Meant }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
      leaf,
      fc
        .tuple(tie('filter'), tie('filter'))
        .map(([a, b]) => ({ set: a.set.and(b.set), has: (id: number) => a.has(id) && b.has(id) })),
      fc
        .tuple(tie('filter'), tie('filter'))
        .map(([a, b]) => ({ set: a.set.or(b.set), has: (id: number) => a.has(id) || b.has(id) })),
      tie('filter').map((a) => ({ set: a.set.not(), has: (id: number) => !a.has(id) })),
    ),
  })).filter;
}

/** Filters: exactly min(k, matching) members, however few or many they are. */
export function filtersContract(subject: Subject): void {
  describe('filters', () => {
    test.each([1, 0.9, 0.5, 0.1, 0.02, 0.001, 0])(
      'a share of %s allowed, as an allow list and as a deny list',
      async (share) => {
        const matrix = clustered(2000, 16, 11);
        const ids = scatteredIds(2000);
        const queries = clustered(Math.min(25, subject.runs), 16, 12);
        const chosen = Array.from(ids).filter((_, r) => ((r * 7919) % 2000) / 2000 < share);
        const rest = Array.from(ids).filter((id) => !new Set(chosen).has(id));
        await withIndex(subject.build(matrix, { metric: 'cosine', ids }), async (index) => {
          for (const filter of [IdSet.allow(chosen), IdSet.deny(rest)]) {
            let sum = 0;
            for (let r = 0; r < queries.rows; r++) {
              const query = rowOf(queries, r);
              const result = await index.search(query, 10, { filter });
              expect(result.ids.length).toBe(Math.min(10, chosen.length));
              expect(Array.from(result.ids).every((id) => filter.has(id))).toBe(true);
              expectSound(result, query, { matrix, metric: 'cosine', ids });
              sum += recall(
                result.ids,
                nearest({ matrix, metric: 'cosine', ids, allowed: (id) => filter.has(id) }, query, 10),
              );
            }
            expect(sum / queries.rows).toBeGreaterThanOrEqual(0.95);
          }
        });
      },
    );

    test('one allowed id is found, wherever it lies', async () => {
      const matrix = clustered(1200, 8, 13);
      await withIndex(subject.build(matrix, { metric: 'ip' }), async (index) => {
        for (const id of [0, 1, 600, 1199]) {
          const { ids, stats } = await index.search(rowOf(matrix, 5), 10, { filter: IdSet.allow([id]) });
          expect(Array.from(ids)).toEqual([id]);
          expect(stats.plan).toBe('allowed-scan');
        }
      });
    });

    test.each<[string, (distance: number, median: number) => boolean]>([
      ['the nearer half', (distance, median) => distance <= median],
      ['the farther half', (distance, median) => distance > median],
      ['a shell', (distance, median) => Math.abs(distance - median) < 0.1],
    ])('a filter that allows %s of what lies around the query', async (_, allows) => {
      const matrix = clustered(6000, 16, 51);
      const queries = clustered(6, 16, 52);
      await withIndex(subject.build(matrix, { metric: 'cosine' }), async (index) => {
        let sum = 0;
        for (let r = 0; r < queries.rows; r++) {
          const query = rowOf(queries, r);
          const all = nearest({ matrix, metric: 'cosine' }, query, matrix.rows);
          const median = all[3000]!.distance;
          const allowed = all.filter(({ distance }) => allows(distance, median));
          const filter = IdSet.allow(allowed.map(({ id }) => id));
          const result = await index.search(query, 10, { filter });
          expect(result.ids.length).toBe(Math.min(10, allowed.length));
          expect(Array.from(result.ids).every((id) => filter.has(id))).toBe(true);
          sum += recall(result.ids, allowed.slice(0, 10));
        }
        expect(sum / queries.rows).toBeGreaterThanOrEqual(0.95);
      });
    });

    test('an exclusion set of 50,000 ids, nearly all of them unknown, leaves exactly the rest', async () => {
      const matrix = clustered(3000, 8, 53);
      const denied = Array.from({ length: 50_000 }, (_, i) => i + 40);
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        const { ids } = await index.search(rowOf(matrix, 100), 50, { filter: IdSet.deny(denied) });
        expect(Array.from(ids).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, id) => id));
      });
    });

    test('within: only rows at that distance or closer, at most k, alone, in a batch and under a filter', async () => {
      const queries = clustered(4, 12, 55);
      const able = await withIndex(subject.build(queries, { metric: 'l2' }), async (index) => {
        if (!index.capabilities.range)
          await expectCode(index.search(rowOf(queries, 0), 5, { within: 1 }), 'UNSUPPORTED');
        return index.capabilities.range;
      });
      if (!able) return;
      const matrix = clustered(3000, 12, 54);
      for (const metric of subject.metrics) {
        await withIndex(subject.build(matrix, { metric }), async (index) => {
          let found = 0;
          let wanted = 0;
          for (let r = 0; r < queries.rows; r++) {
            const query = rowOf(queries, r);
            const all = nearest({ matrix, metric }, query, matrix.rows);
            for (const matches of [0, 1, 30, 700]) {
              // Between two rows, so that rounding decides nothing.
              const within = (all[matches]!.distance + (all[matches - 1]?.distance ?? all[0]!.distance - 0.1)) / 2;
              const options = { within, filter: IdSet.deny([all[0]!.id]) };
              const allowed = all.slice(1, matches);
              expectTrue(await index.search(query, matrix.rows, { ...options, exact: true }), allowed);
              expectTrue(await index.search(query, 10, { ...options, exact: true }), allowed.slice(0, 10));
              const quick = await index.search(query, matrix.rows, options);
              expect(quick.ids.length).toBeLessThanOrEqual(allowed.length);
              found += quick.ids.length;
              wanted += allowed.length;
              expectSound(quick, query, { matrix, metric });
              const batch = await index.searchBatch({ data: query, rows: 1, dim: 12 }, matrix.rows, options);
              expectSame(rowOfBatch(batch, 0), quick);
            }
          }
          expect(found / wanted).toBeGreaterThanOrEqual(0.95);
        });
      }
    });

    test('any combination of sets, exact: the naive answer over the members', async () => {
      const matrix = clustered(80, 5, 14);
      const ids = scatteredIds(80);
      for (const metric of subject.metrics) {
        await withIndex(subject.build(matrix, { metric, ids }), async (index) => {
          await fc.assert(
            fc.asyncProperty(
              anyFilter(ids),
              fc.integer({ min: 1, max: 100 }),
              fc.nat(),
              async ({ set, has }, k, seed) => {
                const query = rowOf(clustered(1, 5, seed), 0);
                const truth = nearest({ matrix, metric, ids, allowed: has }, query, k);
                expectTrue(await index.search(query, k, { filter: set, exact: true }), truth);
                const quick = await index.search(query, k, { filter: set });
                expect(quick.ids.length).toBe(truth.length);
                expect(Array.from(quick.ids).every(has)).toBe(true);
              },
            ),
            { numRuns: Math.min(40, subject.runs) },
          );
        });
      }
    });
  });
}
