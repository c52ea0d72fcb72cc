/** Files of vectors: what other tools wrote, what we write, and what is damaged. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Matrix } from '../../src/core/matrix.js';
import { readVectors, writeVectors } from '../../src/data/vector-files/registry.js';
import { expectCode } from '../contract/expectations.js';
import { temporaryDirectory } from '../contract/subjects.js';

const golden = fileURLToPath(new URL('golden/vectors/', import.meta.url));
const directory = temporaryDirectory();
const path = (name: string) => join(directory, name);

const integers = Float32Array.from({ length: 35 }, (_, at) => at);
const floats = integers.map((value) => value / 2 - 4);

describe('files of other tools', () => {
  test.each(readdirSync(golden))('%s', async (name) => {
    const { matrix, ids } = await readVectors(join(golden, name));
    expect([matrix.rows, matrix.dim, ids]).toEqual([7, 5, undefined]);
    expect(matrix.data).toEqual(name.startsWith('floats') ? floats : integers);
  });

  test('every kind of file is there', () => {
    expect(readdirSync(golden).length).toBeGreaterThan(20);
  });

  test('HDF5: another dataset by name; one that is missing, of one dimension or no HDF5 file is refused', async () => {
    const file = join(golden, 'floats-ann-benchmarks.hdf5');
    const { matrix } = await readVectors(file, { dataset: 'test' });
    expect([matrix.rows, Array.from(matrix.data)]).toEqual([2, Array.from(floats.slice(0, 10))]);
    expect((await readVectors(file, { dataset: 'neighbors' })).matrix.data).toEqual(Float32Array.of(0, 1, 1, 0));
    await expectCode(readVectors(file, { dataset: 'trian' }), 'MISSING_COLUMN');
    await expectCode(readVectors(file, { dataset: 'line' }), 'FORMAT');
    writeFileSync(path('no.hdf5'), 'something else');
    await expectCode(readVectors(path('no.hdf5')), 'FORMAT');
  });
});

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const matrices = fc.integer({ min: 1, max: 7 }).chain((dim) =>
  fc.integer({ min: 1, max: 30 }).chain((rows) =>
    fc.array(finite, { minLength: rows * dim, maxLength: rows * dim }).map((values): Matrix => {
      return { data: Float32Array.from(values), rows, dim };
    }),
  ),
);

describe('a file written is a file read', () => {
  test.each(['npy', 'fvecs', 'fbin', 'jsonl', 'parquet', 'hdf5'])('%s, bit for bit, with its ids', async (ending) => {
    await fc.assert(
      fc.asyncProperty(matrices, fc.boolean(), async (matrix, texts) => {
        const file = path(`again.${ending}`);
        const ids = texts
          ? Array.from({ length: matrix.rows }, (_, r) => `item ${r * 3}, "ü"`)
          : Uint32Array.from({ length: matrix.rows }, (_, r) => 0xfffffffe - r);
        const written = await writeVectors(file, { matrix, ids });
        expect(written.ids === undefined).toBe(['jsonl', 'parquet'].includes(ending));
        const read = await readVectors(file, written.ids === undefined ? {} : { ids: written.ids });
        expect([read.matrix.rows, read.matrix.dim]).toEqual([matrix.rows, matrix.dim]);
        // −0 is written as 0 in JSON, as everywhere in JavaScript.
        if (ending === 'jsonl')
          expect(Array.from(read.matrix.data, (v) => v + 0)).toEqual(Array.from(matrix.data, (v) => v + 0));
        else expect(read.matrix.data).toEqual(matrix.data);
        expect(read.ids).toEqual(ids);
      }),
      { numRuns: ending === 'hdf5' || ending === 'parquet' ? 15 : 60 },
    );
  });

  test.each([
    ['ivecs', -3, 70_000],
    ['ibin', -0x80000000, 3],
    ['bvecs', 0, 255],
    ['u8bin', 0, 255],
    ['i8bin', -128, 127],
  ])('%s holds integers, and says so of any other value', async (ending, low, high) => {
    const file = path(`whole.${ending}`);
    const matrix = { data: Float32Array.of(low, high, 1, 2), rows: 2, dim: 2 };
    await writeVectors(file, { matrix });
    expect((await readVectors(file)).matrix.data).toEqual(matrix.data);
    const halves = { data: Float32Array.of(1, 2, 3, 0.5), rows: 2, dim: 2 };
    const before = readFileSync(file);
    await expect(writeVectors(file, { matrix: halves })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('row 1, column 1 is 0.5'),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('blocks that are smaller than the file join without a seam: more than a block of every binary format', async () => {
    const dim = 300;
    const rows = 9001;
    const matrix = { data: Float32Array.from({ length: rows * dim }, (_, at) => at % 251), rows, dim };
    for (const ending of ['npy', 'fvecs', 'fbin', 'bvecs', 'u8bin', 'hdf5']) {
      const file = path(`large.${ending}`);
      await writeVectors(file, { matrix });
      const read = await readVectors(file);
      expect(Buffer.compare(Buffer.from(read.matrix.data.buffer), Buffer.from(matrix.data.buffer)), ending).toBe(0);
    }
  });

  test('Parquet of several row groups', async () => {
    const rows = 25_000;
    const matrix = { data: Float32Array.from({ length: rows * 2 }, (_, at) => at / 3), rows, dim: 2 };
    const ids = Uint32Array.from({ length: rows }, (_, r) => r * 7);
    await writeVectors(path('groups.parquet'), { matrix, ids });
    expect(await readVectors(path('groups.parquet'))).toEqual({ matrix, ids });
  });

  test('nothing is left of a write that fails or is aborted', async () => {
    const matrix = { data: Float32Array.of(1, 2), rows: 1, dim: 2 };
    const signal = AbortSignal.abort();
    for (const ending of ['npy', 'fvecs', 'fbin', 'jsonl', 'parquet', 'hdf5']) {
      await expectCode(writeVectors(path(`gone.${ending}`), { matrix, ids: ['a'] }, { signal }), 'ABORTED');
      await expectCode(writeVectors(join(directory, 'no/folder', `x.${ending}`), { matrix }), 'NOT_FOUND');
    }
    await expectCode(writeVectors(path('gone.npy'), { matrix, ids: ['a\nb'] }), 'INVALID_ARGUMENT');
    await expectCode(writeVectors(path('gone.npy'), { matrix, ids: ['a', 'b'] }), 'INVALID_ARGUMENT');
    await expectCode(
      writeVectors(path('gone.npy'), { matrix: { ...matrix, data: Float32Array.of(1, Number.NaN) } }),
      'NOT_FINITE',
    );
    await expectCode(writeVectors(path('gone.doc'), { matrix }), 'INVALID_ARGUMENT');
    expect(readdirSync(directory).filter((name) => /gone|tmp/.test(name))).toEqual([]);
  });
});

describe('columns', () => {
  test('JSONL: names of our own, empty lines, ids that are numbers', async () => {
    writeFileSync(path('own.jsonl'), '{"key":7,"v":[1,2]}\n\n{"key":9,"v":[3,4.5]}\n');
    const { matrix, ids } = await readVectors(path('own.jsonl'), { idColumn: 'key', vectorColumn: 'v' });
    expect([Array.from(matrix.data), ids]).toEqual([[1, 2, 3, 4.5], Uint32Array.of(7, 9)]);
    await expectCode(readVectors(path('own.jsonl')), 'MISSING_COLUMN');
    await expectCode(readVectors(path('own.jsonl'), { dataset: 'train' }), 'UNKNOWN_OPTION');
  });

  test('Parquet: one column a dimension, chosen or all that are numbers; a column by name; a missing one', async () => {
    const { parquetWriteFile } = await import('hyparquet-writer');
    const columns = [
      { name: 'id', data: ['a', 'b'], type: 'STRING' as const },
      { name: 'x', data: [1, 2], type: 'DOUBLE' as const },
      { name: 'y', data: [3n, 4n], type: 'INT64' as const },
      { name: 'z', data: [5, 6], type: 'INT32' as const },
    ];
    parquetWriteFile({ filename: path('columns.parquet'), columnData: columns });
    const all = await readVectors(path('columns.parquet'));
    expect([Array.from(all.matrix.data), all.ids]).toEqual([
      [1, 3, 5, 2, 4, 6],
      ['a', 'b'],
    ]);
    const some = await readVectors(path('columns.parquet'), { vectorColumn: ['z', 'x'], idColumn: 'y' });
    expect([Array.from(some.matrix.data), some.ids]).toEqual([[5, 1, 6, 2], Uint32Array.of(3, 4)]);
    await expectCode(readVectors(path('columns.parquet'), { vectorColumn: 'w' }), 'MISSING_COLUMN');
    await expectCode(
      readVectors(path('columns.parquet'), { idColumn: 'x', vectorColumn: ['id', 'y'] }),
      'INVALID_RECORD',
    );
  });
});

describe('what is wrong is named with file and row', () => {
  const refused = async (name: string, content: string | Buffer, code: string, says: string, options = {}) => {
    writeFileSync(path(name), content);
    await expect(readVectors(path(name), options)).rejects.toMatchObject({
      name: 'NighError',
      code,
      message: expect.stringMatching(new RegExp(`${name}.*${says}`)),
    });
  };

  test('JSONL', async () => {
    await refused(
      'a.jsonl',
      '{"id":"a","vector":[1,2]}\n{"id":"b","vector":[1]}\n',
      'INVALID_RECORD',
      'line 2.*of 2 values',
    );
    await refused('a.jsonl', '{"id":"a","vector":[1,null]}\n', 'INVALID_RECORD', 'line 1.*null');
    await refused('a.jsonl', '{"id":"a","vector":[1,1e39]}\n', 'NOT_FINITE', 'line 1.*value 1');
    await refused('a.jsonl', '{"id":"a","vector":"x"}\n', 'INVALID_RECORD', 'line 1');
    await refused('a.jsonl', '{"id":"a","vector":[]}\n', 'INVALID_RECORD', 'line 1');
    await refused('a.jsonl', '{"id":"a","vector":[1]}\n\n{"id":"a","vector":[2]}\n', 'DUPLICATE_ID', 'line 3.*line 1');
    await refused('a.jsonl', '{"id":"a","vector":[1]}\n{"vector":[2]}\n', 'MISSING_COLUMN', ':2');
    await refused('a.jsonl', '{"id":1.5,"vector":[1]}\n', 'INVALID_RECORD', 'line 1');
    await refused('a.jsonl', '{"id":1,"vector":[1]}\n{"id":', 'INVALID_RECORD', ':2');
    await refused('a.jsonl', '', 'EMPTY_DATASET', 'no vectors');
  });

  test('binary files', async () => {
    const fvec = (dim: number, ...values: number[]) => {
      const out = Buffer.alloc(4 + values.length * 4);
      out.writeInt32LE(dim);
      for (const [i, value] of values.entries()) out.writeFloatLE(value, 4 + i * 4);
      return out;
    };
    await refused('a.fvecs', Buffer.concat([fvec(2, 1, 2), fvec(3, 1, 2)]), 'FORMAT', 'row 1.*3 values');
    await refused('a.fvecs', Buffer.concat([fvec(2, 1, 2), fvec(2, 1)]), 'TRUNCATED', 'row 1');
    await refused('a.fvecs', Buffer.concat([fvec(2, 1, 2), fvec(2, 1, Number.NaN)]), 'NOT_FINITE', 'row 1, column 1');
    await refused('a.fvecs', '', 'FORMAT', 'empty');
    await refused('a.fvecs', fvec(-1), 'FORMAT', 'row 0');
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0xffffffff, 0);
    head.writeUInt32LE(0xffffffff, 4);
    await refused('a.fbin', head, 'TRUNCATED', 'expected');
    await refused('a.fbin', Buffer.alloc(3), 'TRUNCATED', 'ends');
    await refused('a.npy', 'not numpy at all', 'FORMAT', 'not an npy');
    await expectCode(readVectors(path('absent.npy')), 'NOT_FOUND');
    await expectCode(readVectors(directory, { format: 'npy' }), 'IO');
  });

  test('npy files: any byte of the header altered, and any length', async () => {
    const whole = readFileSync(join(golden, 'floats-f4-version1.npy'));
    for (let at = 0; at < 128; at++) {
      for (const mask of [0xff, 0x04]) {
        const damaged = Buffer.from(whole);
        damaged[at] = damaged[at]! ^ mask;
        writeFileSync(path('b.npy'), damaged);
        const outcome = await readVectors(path('b.npy')).catch((error: unknown) => error);
        if (outcome instanceof Error)
          expect(outcome).toMatchObject({
            name: 'NighError',
            code: expect.stringMatching(/FORMAT|TRUNCATED|NOT_FINITE/),
          });
      }
    }
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path('b.npy'), whole.subarray(0, length));
      await expect(readVectors(path('b.npy'))).rejects.toMatchObject({
        code: expect.stringMatching(/FORMAT|TRUNCATED/),
      });
    }
    const header = (text: string) =>
      Buffer.concat([whole.subarray(0, 8), Buffer.from([text.length, 0]), Buffer.from(text)]);
    const of = (descr: string, shape: string) =>
      header(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`);
    await refused('b.npy', of('<U5', '(2, 2)'), 'FORMAT', 'U5');
    await refused('b.npy', of('<f4', '(2,)'), 'FORMAT', 'two dimensions');
    await refused('b.npy', of('<f4', '(2, 2, 2)'), 'FORMAT', 'two dimensions');
    await refused('b.npy', of('<f4', '(999999999999, 999999999999)'), 'TRUNCATED', 'expected');
  });

  test('Parquet and HDF5 files: cut short or altered, they are refused or read, without a crash', async () => {
    const matrix = { data: Float32Array.from({ length: 200 }, (_, at) => at), rows: 50, dim: 4 };
    for (const ending of ['parquet', 'hdf5']) {
      await writeVectors(path(`c.${ending}`), { matrix });
      const whole = readFileSync(path(`c.${ending}`));
      for (let step = 0; step < 60; step++) {
        const damaged = step % 2 === 0 ? whole.subarray(0, Math.floor((whole.length * step) / 60)) : Buffer.from(whole);
        if (step % 2 === 1) damaged[(step * 7919) % damaged.length]! ^= 0xff;
        writeFileSync(path(`d.${ending}`), damaged);
        const outcome = await readVectors(path(`d.${ending}`)).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'NighError' });
        if (step % 2 === 0) expect(outcome).toBeInstanceOf(Error);
      }
    }
  });

  test('ids: as many as rows, distinct, none empty', async () => {
    const file = join(golden, 'integers-i1.npy');
    writeFileSync(path('few.txt'), 'a\nb\n');
    await expectCode(readVectors(file, { ids: path('few.txt') }), 'INVALID_ARGUMENT');
    writeFileSync(path('twice.txt'), 'a\nb\nc\nd\na\nf\ng\n');
    await expect(readVectors(file, { ids: path('twice.txt') })).rejects.toMatchObject({
      code: 'DUPLICATE_ID',
      message: expect.stringMatching(/twice\.txt: line 5.*line 1/),
    });
    writeFileSync(path('empty.txt'), 'a\n\nc\nd\ne\nf\ng\n');
    await expectCode(readVectors(file, { ids: path('empty.txt') }), 'INVALID_RECORD');
    writeFileSync(path('zeros.txt'), '1\n2\n3\n4\n5\n6\n007\n');
    expect((await readVectors(file, { ids: path('zeros.txt') })).ids).toEqual(['1', '2', '3', '4', '5', '6', '007']);
    await expectCode(readVectors(file, { ids: path('none.txt') }), 'NOT_FOUND');
    expect(existsSync(path('none.txt'))).toBe(false);
  });

  test('an unknown ending and an unknown option name the nearest', async () => {
    await expect(readVectors('vectors.fvec')).rejects.toMatchObject({ message: expect.stringContaining('.fvecs') });
    await expectCode(readVectors('vectors.npy', { idz: 'x' } as never), 'UNKNOWN_OPTION');
  });
});
