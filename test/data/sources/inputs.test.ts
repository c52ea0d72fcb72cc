import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../../src/data/dataset.js';
import { loadDataset } from '../../../src/data/sources/registry.js';
import { attributesOf, interactionsOf } from '../support/dataset-view.js';
import { nighError } from '../support/expect-error.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

type Spec = Record<string, unknown>;

async function load(spec: Spec, files: Record<string, string | Uint8Array>): Promise<Dataset> {
  return loadDataset(spec, { baseDirectory: await temporaryDirectory(files) });
}

const items = (path: string) => ({ path, id: 'id', columns: { year: { type: 'number' } } });

describe('patterns', () => {
  const files = {
    'a.csv': 'id,year\na,1\n',
    'parts/b.csv.gz': gzipSync('id,year\nb,2\n'),
    'parts/c.csv.gz': gzipSync('year,id\n3,c\n'),
    'parts/.hidden.csv.gz': gzipSync('id,year\nx,9\n'),
    'parts/deep/er/d.csv': 'id,year\nd,4\n',
    'parts/c+.txt': 'nothing',
  };

  it('are all files that fit, in the order of their names', async () => {
    const found: [pattern: string, ids: string[]][] = [
      ['parts/*.csv.gz', ['b', 'c']],
      ['parts/?.csv.gz', ['b', 'c']],
      ['*/*.gz', ['b', 'c']],
      ['**/*.csv', ['a', 'd']],
      ['parts/**/*.csv*', ['b', 'c', 'd']],
      ['**/**/d.csv', ['d']],
      ['parts/.h*', ['x']],
      ['a.csv', ['a']],
    ];
    for (const [pattern, ids] of found) {
      const dataset = await load({ source: 'csv', items: items(pattern) }, files);
      expect(dataset.items.terms, pattern).toEqual(ids);
      const years = ids.map((id) => ({ a: 1, b: 2, c: 3, d: 4, x: 9 })[id]);
      expect(dataset.columns.get('year')?.values, pattern).toEqual(years);
    }
  });

  it('that fit nothing are NOT_FOUND, before anything is read', async () => {
    for (const pattern of ['parts/*.jsonl', 'nowhere/*.csv', 'parts/c+*.csv']) {
      await expect(load({ source: 'csv', items: items(pattern) }, files), pattern).rejects.toThrow(
        nighError('NOT_FOUND', ''),
      );
    }
    const interactions = { path: 'no*.csv', user: 'u', item: 'i' };
    await expect(load({ source: 'csv', items: items('parts/c+.txt'), interactions }, files)).rejects.toThrow(
      nighError('NOT_FOUND', 'no*.csv'),
    );
  });

  it('say in which file a record is wrong', async () => {
    const wrong = { 'p/1.csv': 'id,year\na,1\n', 'p/2.csv': 'id,year\nb,many\n' };
    await expect(load({ source: 'csv', items: items('p/*.csv') }, wrong)).rejects.toThrow(
      nighError('INVALID_RECORD', '2.csv:2'),
    );
  });
});

describe('Parquet', () => {
  const books = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: [7n, 8n, 2n ** 60n], type: 'INT64' },
      { name: 'name', data: ['On Nothing', null, 'Ω'], type: 'STRING', nullable: true },
      { name: 'year', data: [1999, null, 2001.5], type: 'DOUBLE', nullable: true },
      { name: 'added', data: [new Date('2020-02-29T10:00:00Z'), null, null], type: 'TIMESTAMP', nullable: true },
      { name: 'genres', data: ['crime|noir', '', 'crime'], type: 'STRING' },
    ],
    rowGroupSize: 2,
  });
  const loans = parquetWriteBuffer({
    columnData: [
      { name: 'reader', data: ['ann', 'bob', 'ann'], type: 'STRING' },
      { name: 'book', data: [7n, 8n, 8n], type: 'INT64' },
      { name: 'times', data: [2, 1, 5], type: 'INT32' },
    ],
  });
  const spec: Spec = {
    source: 'parquet',
    items: {
      path: 'books.parquet',
      id: 'id',
      title: 'name',
      columns: { year: { type: 'number' }, added: { type: 'date' }, genres: { type: 'tags' } },
    },
    interactions: { path: 'loans-*.parquet', user: 'reader', item: 'book', value: 'times', merge: 'sum' },
  };
  const files = {
    'books.parquet': new Uint8Array(books),
    'loans-1.parquet': new Uint8Array(loans),
    'loans-2.parquet': new Uint8Array(loans),
  };

  it('is read by its columns: numbers, texts, dates, nulls, several files', async () => {
    const dataset = await load(spec, files);
    expect(dataset.items.terms).toEqual(['7', '8', String(2n ** 60n)]);
    expect(dataset.titles).toEqual(['On Nothing', '8', 'Ω']);
    expect(attributesOf(dataset, '7')).toEqual({ year: 1999, added: 1_582_970_400, genres: ['crime', 'noir'] });
    expect(attributesOf(dataset, '8')).toEqual({});
    expect(Object.fromEntries(interactionsOf(dataset))).toEqual({ 'ann 7': [4], 'ann 8': [10], 'bob 8': [2] });
  });

  it('that is damaged, lacks a column or holds no ids says so', async () => {
    const cut = { ...files, 'books.parquet': new Uint8Array(books).subarray(0, 40) };
    await expect(load(spec, cut)).rejects.toThrow(nighError('FORMAT', 'books.parquet'));
    const without = { ...spec, items: { path: 'books.parquet', id: 'isbn' } };
    await expect(load(without, files)).rejects.toThrow(nighError('MISSING_COLUMN', 'isbn'));
    const nulls = { ...spec, items: { path: 'books.parquet', id: 'name' } };
    await expect(load(nulls, files)).rejects.toThrow(nighError('INVALID_RECORD', 'books.parquet:2'));
    const piped = { ...spec, items: { path: '-', id: 'id' } };
    await expect(load(piped, files)).rejects.toThrow(nighError('INVALID_ARGUMENT', 'items.path'));
    const header = { ...spec, items: { path: 'books.parquet', id: 'id', header: ['id'] } };
    await expect(load(header, files)).rejects.toThrow(nighError('UNKNOWN_OPTION', 'items.header'));
  });
});

describe('the standard input', () => {
  const module = join(import.meta.dirname, '../../../dist/data/sources/registry.js');

  it('is read as a file is, once', () => {
    if (!existsSync(module)) throw new Error('dist/ is missing: run `npm run build`.');
    const spec = { source: 'jsonl', items: { path: '-', id: 'id' } };
    const program = `
      const { loadDataset } = await import(${JSON.stringify(module)});
      const { items } = await loadDataset(${JSON.stringify(spec)}, { baseDirectory: '/' });
      console.log(items.terms.join());`;
    const input = Array.from({ length: 20_000 }, (_, n) => `{"id":"ü${n}"}\n`).join('');
    const run = () => spawnSync(process.execPath, ['--input-type=module', '-e', program], { input, encoding: 'utf8' });
    const { stdout, stderr } = run();
    expect(stderr).toBe('');
    expect(stdout.trim().split(',')).toHaveLength(20_000);
    expect(stdout.startsWith('ü0,ü1,')).toBe(true);
  });

  it('may be a stream of Node, or any async iterable of bytes or text, cut anywhere', async () => {
    const bytes = Buffer.from('id,year\nä,1\nb,2\n');
    async function* texts() {
      yield 'id,ye';
      yield 'ar\nä,1\nb';
      yield ',2\n';
    }
    const closed = Readable.from([bytes.subarray(0, 9), bytes.subarray(9)]);
    for (const input of [closed, texts()]) {
      const baseDirectory = await temporaryDirectory({});
      const { items: found } = await loadDataset({ source: 'csv', items: items('-') }, { baseDirectory, input });
      expect(found.terms).toEqual(['ä', 'b']);
    }
    expect(closed.destroyed).toBe(true);
  });

  it.each(['a stream', 'an iterable'])('that does not go on is left when the signal fires: %s', async (what) => {
    const stop = new AbortController();
    const silent = new Readable({ read() {} });
    async function* never() {
      yield 'id,year\n';
      await new Promise(() => {});
    }
    const input = what === 'a stream' ? silent : never();
    const context = { baseDirectory: await temporaryDirectory({}), input, signal: stop.signal };
    const loading = loadDataset({ source: 'csv', items: items('-') }, context);
    setTimeout(() => stop.abort(), 20);
    await expect(loading).rejects.toMatchObject({ code: 'ABORTED' });
    if (what === 'a stream') expect(silent.destroyed).toBe(true);
  });

  it('is not items and interactions at once', async () => {
    const spec = { source: 'csv', items: items('-'), interactions: { path: '-', user: 'u', item: 'i' } };
    await expect(load(spec, {})).rejects.toThrow(nighError('INVALID_ARGUMENT', 'standard input'));
  });
});
