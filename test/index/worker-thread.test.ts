import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { FlatIndex } from '../../src/index/flat-index.js';
import { clustered, rowOf } from '../contract/matrices.js';
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
});
