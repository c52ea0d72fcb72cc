/** Every value in every place of what `nigh/index` exports besides the methods of an index, which the contract gives the same treatment. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import type { Matrix } from '../../src/core/matrix.js';
import { FlatIndex } from '../../src/index/flat-index.js';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { HnswlibIndex } from '../../src/index/hnswlib-index.js';
import { IdSet } from '../../src/index/id-set.js';
import { inspectIndex } from '../../src/index/inspect-index.js';
import { openIndex } from '../../src/index/open-index.js';
import { SparseIndex } from '../../src/index/sparse-index.js';
import { adjustedCosineRows, pearsonRows, spearmanRows } from '../../src/index/transforms.js';
import type { VectorIndex } from '../../src/index/vector-index.js';
import {
  anyObject,
  expectOnlyMistakes,
  left,
  lists,
  natural,
  outcomeOf,
  type Parameter,
} from '../contract/hostile-table.js';
import { clustered } from '../contract/matrices.js';
import { temporaryDirectory, toCsr } from '../contract/subjects.js';

const dim = 4;
const matrix = clustered(30, dim, 51);
const directory = temporaryDirectory();
const saved = join(directory, 'saved.ann');
const foreign = join(directory, 'foreign.bin');

/** A value that TypeScript would not let through, as JavaScript does. */
const as = <T>(value: unknown): T => value as T;

/** Waits for an index and closes it. */
const closed = async (building: Promise<VectorIndex>): Promise<void> => (await building).close();

type Table = Record<string, Parameter<undefined>>;

const put = (
  call: (value: unknown) => unknown,
  further: Omit<Parameter<undefined>, 'call'> = {},
): Parameter<undefined> => ({
  call: (_, value) => call(value),
  ...further,
});

const options = { fine: [...left, ...anyObject] };
const threads = { fine: [...left, 'zero', 'minus zero', 'one'] };
const progress = { fine: [...left, 'a function'] };
const idLists = { fine: ['an empty array', 'a detached Uint32Array', ...lists], perhaps: ['an empty Float32Array'] };
// Texts are paths like others, of files that are not there.
const path = { codes: ['NOT_FOUND', 'IO'] };
const whole = [...natural, '2 ** 53', 'zero', 'minus zero'];

const others: Table = {
  'the ids of IdSet.allow': put((value) => IdSet.allow(as(value)), idLists),
  'the ids of IdSet.deny': put((value) => IdSet.deny(as(value)), idLists),
  'the other of and': put((value) => IdSet.allow([1]).and(as(value))),
  'the other of or': put((value) => IdSet.allow([1]).or(as(value))),
  'the id of has': put((value) => IdSet.allow([1]).has(as(value)), {
    fine: ['zero', 'minus zero', 'one', 'ten million'],
  }),
  'the path of openIndex': put((value) => closed(openIndex(as(value))), path),
  'the options of openIndex': put((value) => closed(openIndex(saved, as(value))), options),
  'mode of openIndex': put((value) => closed(openIndex(saved, as({ mode: value }))), { fine: left }),
  'verify of openIndex': put((value) => closed(openIndex(saved, as({ verify: value }))), { fine: [...left, 'true'] }),
  'efSearch of openIndex': put((value) => closed(openIndex(saved, as({ efSearch: value }))), {
    fine: [...left, ...natural],
  }),
  'recall of openIndex': put((value) => closed(openIndex(saved, as({ recall: value }))), {
    fine: [...left, 'the smallest number'],
  }),
  'the path of inspectIndex': put((value) => inspectIndex(as(value)), path),
  'the path of importHnswlib': put((value) => closed(HnswIndex.importHnswlib(as(value), { metric: 'l2' })), path),
  'the options of importHnswlib': put((value) => closed(HnswIndex.importHnswlib(foreign, as(value)))),
  'the path of exportHnswlib': put(async (value) => {
    using index = await HnswIndex.build(matrix, { metric: 'l2' });
    // A text that names a file would be written to.
    await index.exportHnswlib(typeof value === 'string' ? '' : as(value));
  }),
  'the options of exportHnswlib': put(async (value) => {
    using index = await HnswIndex.build(matrix, { metric: 'l2' });
    await index.exportHnswlib(join(directory, 'exported.bin'), as(value));
  }, options),
  'the matrix of pearsonRows': put((value) => pearsonRows(as(value))),
  'the matrix of spearmanRows': put((value) => spearmanRows(as(value))),
  'the matrix of adjustedCosineRows': put((value) => adjustedCosineRows(as(value), [0, 0, 0, 0])),
  'the means of adjustedCosineRows': put((value) => adjustedCosineRows(matrix, as(value)), {
    perhaps: ['a Float64Array', 'an Int32Array'],
  }),
};

/** Each option of a function that reads an object of them, after what it cannot do without. */
function optionsOf(
  name: string,
  call: (options: object) => Promise<VectorIndex>,
  fields: Record<string, Omit<Parameter<undefined>, 'call'>>,
): Table {
  return Object.fromEntries(
    Object.entries(fields).map(([field, further]) => [
      `${field} of ${name}`,
      put((value) => closed(call({ metric: 'l2', [field]: value })), further),
    ]),
  );
}

const ofGraphs = {
  M: { fine: left },
  efConstruction: { fine: [...left, 'one'] },
  seed: { fine: left, perhaps: whole },
  efSearch: { fine: [...left, ...natural] },
};
const ofHnsw = {
  alpha: { fine: [...left, 'one', 'one and a half'] },
  quantization: { fine: left },
  threads,
  recall: { fine: [...left, 'the smallest number'] },
};
const ofTasks = { metric: {}, signal: { fine: left }, onProgress: progress };
const ofBuilds = { ...ofTasks, ids: { fine: left } };

const builds: Table = {
  ...optionsOf('FlatIndex.build', (some) => FlatIndex.build(matrix, as(some)), {
    ...ofBuilds,
    quantization: { fine: left },
  }),
  ...optionsOf('HnswIndex.build', (some) => HnswIndex.build(matrix, as(some)), {
    ...ofBuilds,
    ...ofGraphs,
    ...ofHnsw,
    calibrationQueries: { fine: left },
  }),
  ...optionsOf('HnswlibIndex.build', (some) => HnswlibIndex.build(matrix, as(some)), { ...ofBuilds, ...ofGraphs }),
  ...optionsOf('SparseIndex.build', (some) => SparseIndex.build(toCsr(matrix), as(some)), ofBuilds),
  ...optionsOf('importHnswlib', (some) => HnswIndex.importHnswlib(foreign, as(some)), {
    ...ofTasks,
    alpha: ofHnsw.alpha,
    seed: ofGraphs.seed,
    quantization: ofHnsw.quantization,
    threads,
    efSearch: ofGraphs.efSearch,
    dim: { fine: left },
    graph: { fine: left },
  }),
};

describe('public inputs', () => {
  beforeAll(async () => {
    using index = await HnswIndex.build(matrix, { metric: 'l2' });
    await index.save(saved);
    await index.exportHnswlib(foreign);
  });

  test.each(Object.entries({ ...others, ...builds }))('%s may be any value', async (_, parameter) => {
    await expectOnlyMistakes(parameter, undefined);
  });

  test('a file that is no index, cut short, or of another kind is refused by every reader', async () => {
    const strange: Record<string, Buffer> = {
      empty: Buffer.alloc(0),
      zeros: Buffer.alloc(4096),
      text: Buffer.from('not an index\n'.repeat(200)),
      'the magic alone': Buffer.from('nighann\n'),
      ones: Buffer.alloc(4096, 0xff),
    };
    const refusals = ['FORMAT', 'TRUNCATED', 'VERSION_UNSUPPORTED', 'CHECKSUM_MISMATCH'];
    for (const [name, bytes] of Object.entries(strange)) {
      const file = join(directory, 'strange');
      writeFileSync(file, bytes);
      for (const read of [
        () => closed(openIndex(file)),
        () => closed(openIndex(file, { mode: 'mmap', verify: true })),
        () => inspectIndex(file),
        () => closed(HnswIndex.importHnswlib(file, { metric: 'l2' })),
      ]) {
        expect([name, refusals]).toEqual([name, expect.arrayContaining([await outcomeOf(read)])]);
      }
    }
    copyFileSync(saved, join(directory, 'ours.bin'));
    expect(await outcomeOf(() => HnswIndex.importHnswlib(join(directory, 'ours.bin'), { metric: 'l2' }))).toBe(
      'FORMAT',
    );
    expect(await outcomeOf(() => openIndex(foreign))).toBe('FORMAT');
    expect(await outcomeOf(() => inspectIndex(foreign))).toBe('FORMAT');
    for (const read of [openIndex, inspectIndex])
      expect(['IO', 'NOT_FOUND']).toContain(await outcomeOf(() => read(directory)));
  });

  test('a matrix of every wrong shape is refused by every builder', async () => {
    const shapes: Record<string, unknown> = {
      'too few values': { ...matrix, rows: 31 },
      'too many values': { ...matrix, rows: 29 },
      'no columns': { ...matrix, dim: 0 },
      'a part of a row': { ...matrix, rows: 29.5 },
      'a huge shape': { ...matrix, rows: 2 ** 40, dim: 2 ** 40 },
      'no data': { rows: 30, dim },
      nothing: undefined,
    };
    for (const [name, shape] of Object.entries(shapes)) {
      for (const kind of [FlatIndex, HnswIndex, HnswlibIndex]) {
        const outcome = await outcomeOf(() => closed(kind.build(as<Matrix>(shape), { metric: 'l2' })));
        expect([name, kind.name, outcome]).toEqual([
          name,
          kind.name,
          expect.stringMatching(/^(INVALID_ARGUMENT|DIMENSION_MISMATCH)$/),
        ]);
      }
    }
  });

  test('more columns than an index of ours has are refused', async () => {
    const wide = { data: new Float32Array(65_537).fill(1), rows: 1, dim: 65_537 };
    for (const kind of [FlatIndex, HnswIndex]) {
      expect(await outcomeOf(() => closed(kind.build(wide, { metric: 'l2' })))).toBe('INVALID_ARGUMENT');
    }
  });

  test('a sparse matrix whose arrays contradict each other is refused, and one of four thousand million columns is as small as its entries', async () => {
    const [offsets, columns, values] = [Uint32Array.of(0, 1, 3), Uint32Array.of(2, 0, 3), Float32Array.of(1, 2, 3)];
    const wrong: Record<string, [number, number, unknown, unknown, unknown]> = {
      'no offsets': [2, 4, new Uint32Array(), columns, values],
      'offsets that descend': [2, 4, Uint32Array.of(0, 3, 1), columns, values],
      'offsets beyond the entries': [2, 4, Uint32Array.of(0, 1, 9), columns, values],
      'a column beyond the last': [2, 3, offsets, columns, values],
      'columns that descend': [2, 4, offsets, Uint32Array.of(2, 3, 0), values],
      'fewer values than columns': [2, 4, offsets, columns, values.subarray(1)],
      'no columns': [2, 0, offsets, columns, values],
      'part of a column': [2, 3.5, offsets, columns, values],
      'more columns than ids': [2, 2 ** 40, offsets, columns, values],
      'arrays of another type': [2, 4, [0, 1, 3], columns, values],
      'nothing in them': [2, 4, undefined, undefined, undefined],
    };
    for (const [name, [rows, cols, ...arrays]] of Object.entries(wrong)) {
      const made = new CsrMatrix(rows, cols, ...(arrays as [Uint32Array, Uint32Array, Float32Array]));
      const outcome = await outcomeOf(() => closed(SparseIndex.build(made, { metric: 'l2' })));
      expect([name, outcome]).toEqual([name, 'INVALID_ARGUMENT']);
    }
    const widest = 2 ** 32 - 2;
    const wide = new CsrMatrix(2, widest, offsets, Uint32Array.of(2, 0, widest - 1), values);
    const file = join(directory, 'wide.ann');
    const before = process.memoryUsage.rss();
    using index = await SparseIndex.build(wide, { metric: 'ip' });
    await index.save(file);
    using opened = (await openIndex(file, { mode: 'mmap' })) as SparseIndex;
    for (const each of [index, opened]) {
      const { ids, distances } = await each.searchRows(wide, 2);
      expect(Array.from(ids)).toEqual([0, 1, 1, 0]);
      expect(Array.from(distances, (value) => value + 0)).toEqual([-1, 0, -13, 0]);
      expect(each.memoryBytes).toBeLessThan(1000);
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 28);
  });
});
