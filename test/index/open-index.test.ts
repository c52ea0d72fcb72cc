import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FlatIndex } from '../../src/index/flat-index.js';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { HnswlibIndex } from '../../src/index/hnswlib-index.js';
import { inspectIndex } from '../../src/index/inspect-index.js';
import { openIndex } from '../../src/index/open-index.js';
import { expectCode } from '../contract/expectations.js';
import { clustered, rowOf } from '../contract/matrices.js';
import { temporaryDirectory } from '../contract/subjects.js';

const matrix = clustered(120, 6, 61);

describe('openIndex', () => {
  const directory = temporaryDirectory();

  test('gives an index of the kind that the file holds, whatever its name', async () => {
    for (const [kind, building] of [
      [FlatIndex, FlatIndex.build(matrix, { metric: 'cosine' })],
      [HnswIndex, HnswIndex.build(matrix, { metric: 'cosine' })],
      [HnswlibIndex, HnswlibIndex.build(matrix, { metric: 'cosine' })],
    ] as const) {
      using built = await building;
      const path = join(directory, `${kind.name}.bin`);
      await built.save(path);
      using opened = await openIndex(path);
      expect(opened).toBeInstanceOf(kind);
      expect(opened.searchBatch).toBeTypeOf('function');
      expect((await inspectIndex(path)).kind).toBe(built.kind);
      expect((await opened.search(rowOf(matrix, 11), 1)).ids[0]).toBe(11);
    }
  });

  test('refuses options that it does not know or cannot use', async () => {
    await expectCode(openIndex('x', { mode: 'disk' } as object), 'INVALID_ARGUMENT');
    await expectCode(openIndex('x', { verfy: true } as object), 'UNKNOWN_OPTION');
    await expectCode(openIndex('x', { efSearch: 0 }), 'INVALID_ARGUMENT');
    await expectCode(openIndex(''), 'INVALID_ARGUMENT');
    await expectCode(openIndex(undefined as unknown as string), 'INVALID_ARGUMENT');
    await expectCode(inspectIndex(7 as unknown as string), 'INVALID_ARGUMENT');
  });

  test('a mapped file may be replaced while it is open', async () => {
    const path = join(directory, 'replaced.ann');
    using first = await FlatIndex.build(matrix, { metric: 'l2' });
    await first.save(path);
    using mapped = await openIndex(path, { mode: 'mmap' });
    using second = await FlatIndex.build(clustered(5, 6, 62), { metric: 'l2' });
    await second.save(path);
    expect((await mapped.search(rowOf(matrix, 100), 1)).ids[0]).toBe(100);
    using again = await openIndex(path);
    expect(again.size).toBe(5);
    copyFileSync(path, join(directory, 'copy.ann'));
  });
});
