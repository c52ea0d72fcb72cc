import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { FlatIndex } from '../../src/index/flat-index.js';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import type { SearchResult } from '../../src/index/vector-index.js';
import { clustered, rowOf } from '../contract/matrices.js';
import { Model } from '../contract/model.js';
import { nearest } from '../contract/oracle.js';
import { temporaryDirectory } from '../contract/subjects.js';

const built = existsSync(fileURLToPath(new URL('../../dist/index/index.js', import.meta.url)));
const matrix = clustered(150, 6, 71);

function answersOf(workerData: object): Promise<Record<string, unknown>> {
  const worker = new Worker(new URL('./programs/in-a-worker.mjs', import.meta.url), { workerData, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe.skipIf(!built)('worker threads (skipped unless dist/ is built)', () => {
  const directory = temporaryDirectory();

  test('every engine works in several workers at once, also over one shared matrix', async () => {
    const path = join(directory, 'shared.ann');
    using saved = await FlatIndex.build(matrix, { metric: 'l2' });
    await saved.save(path);
    const shared = new Float32Array(new SharedArrayBuffer(matrix.data.byteLength));
    shared.set(matrix.data);
    const truth = nearest({ matrix, metric: 'l2', allowed: (id) => id !== 0 }, rowOf(matrix, 0), 3).map(({ id }) => id);
    const expected = { ids: truth, first: Array.from({ length: 150 }, (_, r) => r) };
    const all = await Promise.all(
      Array.from({ length: 4 }, (_, at) =>
        answersOf({ data: at % 2 === 0 ? shared : matrix.data, rows: 150, dim: 6, path }),
      ),
    );
    for (const answers of all) {
      expect(answers).toEqual({
        FlatIndex: expected,
        HnswIndex: expected,
        HnswlibIndex: expected,
        opened: 150,
        failure: ['NighError', 'DIMENSION_MISMATCH'],
      });
    }
  });

  test('a worker that opens what is saved meanwhile sees one saved state whole, and never an older one than before', async () => {
    const path = join(directory, 'changing.ann');
    const query = rowOf(matrix, 5);
    const model = new Model(6);
    model.put(
      matrix,
      Array.from({ length: 150 }, (_, r) => r),
    );
    using index = await HnswIndex.build(matrix, { metric: 'l2' });
    await index.save(path);
    const states = [model.copy()];
    const worker = new Worker(new URL('./programs/reads-what-is-saved.mjs', import.meta.url), {
      workerData: { path, query, k: 1000 },
      execArgv: [],
    });
    const answers: Pick<SearchResult, 'ids' | 'distances'>[] = [];
    worker.on('message', (answer) => answers.push(answer));
    const ended = new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => resolve());
    });
    for (let round = 0; round < 30 || answers.length < 10; round++) {
      const ids = Array.from({ length: 20 }, (_, i) => (round * 13 + i * 3) % 170);
      const moved = clustered(20, 6, 900 + round);
      const searching = Array.from({ length: 8 }, (_, q) => index.search(rowOf(matrix, q), 5));
      await index.replace(moved, ids, { addMissing: true });
      model.put(moved, ids);
      const gone = [round % 170, (round * 7) % 170].filter((id, at, all) => model.has(id) && all.indexOf(id) === at);
      await index.remove(gone);
      for (const id of gone) model.rows.delete(id);
      states.push(model.copy());
      await index.save(path);
      for (const { ids: found } of await Promise.all(searching)) expect(found.length).toBe(5);
    }
    worker.postMessage('over');
    await ended;
    let at = 0;
    for (const { ids, distances } of answers) {
      const is = (state: Model) => {
        const truth = state.ranked('l2', query);
        return (
          truth.length === ids.length &&
          truth.every(({ distance }, i) => Math.abs(distance - distances[i]!) <= 1e-5 * Math.max(1, distance)) &&
          Array.from(ids).every(state.has)
        );
      };
      while (at < states.length && !is(states[at]!)) at++;
      expect(at).toBeLessThan(states.length);
    }
  });
});
