import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { HnswlibIndex } from '../../src/index/hnswlib-index.js';
import { IdSet } from '../../src/index/id-set.js';
import { openIndex } from '../../src/index/open-index.js';
import { expectCode, expectSame } from '../contract/expectations.js';
import { clustered, rowOf } from '../contract/matrices.js';
import { temporaryDirectory } from '../contract/subjects.js';

const matrix = clustered(600, 10, 51);

describe('HnswlibIndex', () => {
  const directory = temporaryDirectory();

  test('declares what hnswlib-node cannot do', async () => {
    using index = await HnswlibIndex.build(matrix, { metric: 'l2' });
    expect(index.capabilities).toEqual({
      sync: false,
      nativeFilter: false,
      mapped: false,
      range: false,
      exact: false,
      mutable: false,
    });
    expect(index).not.toHaveProperty('add');
    await expectCode(index.searchBatch(matrix, 3, { threads: 2 }), 'UNSUPPORTED');
  });

  test('says by which plan it answered: the graph, the graph with a callback, or the allowed ones compared', async () => {
    using index = await HnswlibIndex.build(matrix, { metric: 'cosine' });
    const query = rowOf(matrix, 0);
    const plan = async (options: object) => (await index.search(query, 10, options)).stats.plan;
    expect(await plan({})).toBe('graph');
    expect(await plan({ filter: IdSet.deny([3, 4]) })).toBe('filtered-graph');
    expect(await plan({ filter: IdSet.allow(Array.from({ length: 300 }, (_, r) => r * 2)) })).toBe('filtered-graph');
    expect(await plan({ filter: IdSet.allow([1, 2, 3]) })).toBe('allowed-scan');
    expect(await plan({ filter: IdSet.deny([3]), exact: true })).toBe('allowed-scan');
    expect(await plan({ exact: true })).toBe('scan');
  });

  test('answers in full where the graph cannot: most vectors lie where no link leads', async () => {
    // Many equal vectors: hnswlib links each to its like only, and its graph falls apart.
    const rows = 400;
    const data = Float32Array.from({ length: rows * 2 }, (_, at) =>
      at % 2 === 0 ? Math.floor(at / 2 / 100) * 1000 : 1,
    );
    using index = await HnswlibIndex.build({ data, rows, dim: 2 }, { metric: 'l2', M: 2, efConstruction: 4 });
    const { ids, stats } = await index.search(Float32Array.of(0, 1), 250);
    expect(ids.length).toBe(250);
    expect(Array.from(ids.slice(0, 100))).toEqual(Array.from({ length: 100 }, (_, r) => r));
    expect(['graph', 'scan']).toContain(stats.plan);
  });

  test('cannot be mapped', async () => {
    using index = await HnswlibIndex.build(matrix, { metric: 'l2' });
    const path = join(directory, 'unmappable.ann');
    await index.save(path);
    await expectCode(openIndex(path, { mode: 'mmap' }), 'UNSUPPORTED');
  });

  test('a graph that was altered by somebody who repaired every checksum is refused, or answers; it never crashes', async () => {
    using index = await HnswlibIndex.build(matrix, { metric: 'l2' });
    const whole = join(directory, 'whole.ann');
    await index.save(whole);
    const before = await index.search(rowOf(matrix, 1), 5);
    let refused = 0;
    for (let round = 0; round < 36; round++) {
      const path = join(directory, `forged-${round}.ann`);
      writeFileSync(path, forge(readFileSync(whole), round));
      const opened = await openIndex(path).catch((error: unknown) => error);
      if (opened instanceof HnswlibIndex) {
        // A link, a vector or an unused byte was replaced by another valid one.
        for (let r = 0; r < 20; r++) await opened.search(rowOf(matrix, r * 17), 10);
        opened.close();
      } else {
        refused++;
        expect(opened).toMatchObject({ name: 'NighError', code: 'FORMAT' });
      }
    }
    expect(refused).toBeGreaterThan(6);
    expectSame(await index.search(rowOf(matrix, 1), 5), before);
  });

  test('without hnswlib-node it says what to install', async () => {
    const alone = mkdtempSync(join(tmpdir(), 'nigh-alone-'));
    try {
      for (const name of ['hnswlib-worker.mjs', 'hnswlib-graph-file.mjs', 'hnswlib-rows.mjs']) {
        copyFileSync(fileURLToPath(new URL(`../../src/index/${name}`, import.meta.url)), join(alone, name));
      }
      const worker = new Worker(join(alone, 'hnswlib-worker.mjs'), { execArgv: [] });
      const answer = new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      const args = {
        values: new Float32Array(4),
        count: 1,
        dim: 4,
        ids: null,
        metric: 'l2',
        M: 16,
        efConstruction: 10,
        seed: 1,
      };
      worker.postMessage({ call: 1, name: 'build', args });
      expect(await answer).toMatchObject({
        call: 1,
        error: { code: 'OPTIONAL_PACKAGE', message: expect.stringContaining('npm install hnswlib-node') },
      });
      await worker.terminate();
    } finally {
      rmSync(alone, { recursive: true });
    }
  });
});

/** Overwrites some bytes of the graph inside a container and makes all its checksums right again. */
function forge(bytes: Buffer, seed: number): Buffer {
  const length = bytes.readUInt32LE(12);
  const description = JSON.parse(bytes.toString('utf8', 48, 48 + length));
  const graph = Buffer.from(bytes.subarray(48 + length + description.ids.bytes));
  let state = seed + 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const reach = seed % 3 === 0 ? 96 : graph.length;
  for (let i = 0; i < 1 + (seed % 5); i++) graph[random(reach)] = random(256);
  if (seed % 7 === 0) graph.writeUInt32LE(0xfffffff0, Math.min(96 + random(graph.length - 100), graph.length - 4));
  description.graph.sha256 = createHash('sha256').update(graph).digest('hex');
  const text = Buffer.from(JSON.stringify(description));
  const head = Buffer.from(bytes.subarray(0, 48));
  head.writeUInt32LE(text.length, 12);
  createHash('sha256').update(head.subarray(0, 16)).update(text).digest().copy(head, 16);
  return Buffer.concat([head, text, bytes.subarray(48 + length, 48 + length + description.ids.bytes), graph]);
}
