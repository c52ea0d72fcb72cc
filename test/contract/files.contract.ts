import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import { inspectIndex } from '../../src/index/inspect-index.js';
import { openIndex } from '../../src/index/open-index.js';
import type { VectorIndex } from '../../src/index/vector-index.js';
import { expectCode, expectSame, withIndex } from './expectations.js';
import { clustered, rowOf, scatteredIds, seeded } from './matrices.js';
import { type Subject, temporaryDirectory } from './subjects.js';

const matrix = clustered(400, 9, 16);
const ids = scatteredIds(400);
const query = rowOf(clustered(1, 9, 17), 0);

/** What a reader may say of a damaged file. */
const formatCodes = ['FORMAT', 'TRUNCATED', 'CHECKSUM_MISMATCH', 'VERSION_UNSUPPORTED'];

/** Saving, opening, and files that were cut, altered or are something else. */
export function filesContract(subject: Subject): void {
  describe('files', () => {
    const directory = temporaryDirectory();
    let files = 0;
    const fresh = () => join(directory, `${files++}.ann`);
    const modesOf = (index: VectorIndex) =>
      index.capabilities.mapped ? (['memory', 'mmap'] as const) : (['memory'] as const);

    test.each(subject.metrics)('what was saved answers the same when opened, to the bit, %s', async (metric) => {
      await withIndex(subject.build(matrix, { metric, ids }), async (index) => {
        const path = fresh();
        await index.save(path);
        for (const mode of modesOf(index)) {
          await withIndex(openIndex(path, { mode }), async (opened) => {
            expect(opened).toMatchObject({ kind: index.kind, metric, dim: 9, size: 400 });
            expect(opened.memoryBytes).toBeGreaterThan(400 * 9 * 4);
            for (let r = 0; r < 20; r++) {
              const asked = rowOf(clustered(20, 9, 18), r);
              expectSame(
                await opened.search(asked, 7, { efSearch: 30 }),
                await index.search(asked, 7, { efSearch: 30 }),
              );
            }
            expect(opened.vector(ids[3]!)).toEqual(index.vector(ids[3]!));
          });
        }
        const { fileBytes, sections, ...header } = await inspectIndex(path);
        expect(header).toEqual({ kind: index.kind, metric, dim: 9, count: 400, version: 1 });
        expect(fileBytes).toBe(readFileSync(path).length);
        expect(sections.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(fileBytes);
      });
    });

    test('an empty index comes back empty', async () => {
      await withIndex(subject.build({ data: new Float32Array(), rows: 0, dim: 3 }, { metric: 'ip' }), async (index) => {
        const path = fresh();
        await index.save(path);
        for (const mode of modesOf(index)) {
          await withIndex(openIndex(path, { mode }), async (opened) => {
            expect(opened.size).toBe(0);
            expect((await opened.search(Float32Array.of(1, 2, 3), 4)).ids.length).toBe(0);
          });
        }
      });
    });

    test('saving twice replaces the file and leaves nothing beside it; a saved index can be saved again', async () => {
      const place = join(directory, 'alone');
      mkdirSync(place);
      const path = join(place, 'index.ann');
      await withIndex(subject.build(clustered(10, 9, 19), { metric: 'l2' }), (index) => index.save(path));
      await withIndex(subject.build(matrix, { metric: 'l2', ids }), async (index) => {
        await index.save(path);
        await withIndex(openIndex(path), async (opened) => {
          await opened.save(path);
          expect(opened.size).toBe(400);
        });
        await withIndex(openIndex(path), async (again) =>
          expectSame(await again.search(query, 5, { exact: true }), await index.search(query, 5, { exact: true })),
        );
      });
      expect(readdirSync(place)).toEqual(['index.ann']);
    });

    test('a file that was cut anywhere is refused, in every way of opening it', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2', ids }), async (index) => {
        const whole = fresh();
        await index.save(whole);
        const bytes = readFileSync(whole);
        const random = seeded(20);
        const lengths = [0, 1, 7, 8, 47, 48, 63, 64, 100, 200, bytes.length - 65, bytes.length - 1];
        for (let i = 0; i < 15; i++) lengths.push(Math.floor(random() * bytes.length));
        for (const length of lengths) {
          const path = fresh();
          writeFileSync(path, bytes.subarray(0, length));
          for (const mode of modesOf(index)) await expectRefused(openIndex(path, { mode }));
          await expectRefused(inspectIndex(path));
        }
        const longer = fresh();
        writeFileSync(longer, Buffer.concat([bytes, Buffer.from([0])]));
        for (const mode of modesOf(index)) await expectRefused(openIndex(longer, { mode }));
      });
    });

    test('a file with one altered byte is refused when read or verified, unless the byte means nothing', async () => {
      await withIndex(subject.build(matrix, { metric: 'cosine', ids }), async (index) => {
        const whole = fresh();
        await index.save(whole);
        const before = await index.search(query, 9);
        for (const { path } of flips(whole, 60, fresh)) {
          const ways = index.capabilities.mapped
            ? [{ mode: 'memory' as const }, { mode: 'mmap' as const, verify: true }]
            : [{ mode: 'memory' as const }];
          for (const way of ways) {
            const opened = await openIndex(path, way).catch((error: unknown) => error);
            if (opened instanceof Error) expectFormatError(opened);
            else
              await withIndex(Promise.resolve(opened as VectorIndex), async (same) =>
                expectSame(await same.search(query, 9), before),
              );
          }
        }
      });
    });

    test('a mapped file with altered bytes never does worse than answer wrongly or with an error', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2', ids }), async (index) => {
        if (!index.capabilities.mapped) return;
        const whole = fresh();
        await index.save(whole);
        for (const { path } of flips(whole, 150, fresh, 12)) {
          const opened = await openIndex(path, { mode: 'mmap' }).catch((error: unknown) => error);
          if (opened instanceof Error) {
            expectFormatError(opened);
            continue;
          }
          await withIndex(Promise.resolve(opened as VectorIndex), async (mapped) => {
            for (let r = 0; r < 10; r++) {
              const answer = await mapped.search(rowOf(matrix, r * 31), 20).catch((error: unknown) => error);
              if (answer instanceof Error) expect(answer).toBeInstanceOf(NighError);
            }
            for (const id of [ids[0]!, ids[399]!, 5]) mapped.vector(id);
          });
        }
      });
    });

    test('a file that is missing, a directory, or of another kind is refused by name', async () => {
      await expectCode(openIndex(join(directory, 'missing.ann')), 'NOT_FOUND');
      await expectCode(inspectIndex(join(directory, 'missing.ann')), 'NOT_FOUND');
      await expect(openIndex(directory)).rejects.toBeInstanceOf(NighError);
      const text = fresh();
      writeFileSync(text, 'id,title\n'.repeat(100));
      await expectCode(openIndex(text), 'FORMAT');
      await expectCode(openIndex(text, { mode: 'mmap' }), 'FORMAT');
    });
  });
}

/** Copies of a file, each with some bytes altered. */
function* flips(whole: string, copies: number, fresh: () => string, most = 1): Generator<{ path: string }> {
  const bytes = readFileSync(whole);
  const random = seeded(copies);
  for (let i = 0; i < copies; i++) {
    const altered = Buffer.from(bytes);
    // A third near the beginning, where the headers are.
    const reach = i % 3 === 0 ? Math.min(600, bytes.length) : bytes.length;
    for (let j = 0; j <= random() * (most - 1); j++) {
      const at = Math.floor(random() * reach);
      altered[at] = altered[at]! ^ (1 + Math.floor(random() * 255));
    }
    const path = fresh();
    writeFileSync(path, altered);
    yield { path };
  }
}

async function expectRefused(promise: Promise<unknown>): Promise<void> {
  expectFormatError(
    await promise.then(
      () => new Error('it was accepted'),
      (error: unknown) => error,
    ),
  );
}

function expectFormatError(error: unknown): void {
  expect(error).toBeInstanceOf(NighError);
  expect(formatCodes).toContain(error instanceof NighError ? error.code : '');
}
