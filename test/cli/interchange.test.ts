/** `nigh import` and `nigh export`, between files as their users have them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import hnswlibNode from 'hnswlib-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readVectors, writeVectors } from '../../src/data/vector-files/registry.js';
import { openIndex } from '../../src/index/open-index.js';
import { clustered, rowOf } from '../contract/matrices.js';
import { layOut } from './films.js';
import { nigh, RunningNigh, requireBuild } from './nigh-command.js';

let folder = '';
const run = (...args: string[]) => nigh(args, { cwd: folder, env: { NIGH_INDEXES: '' } });
const path = (name: string) => join(folder, name);
const matrix = clustered(500, 8, 3);

beforeAll(() => {
  requireBuild();
  folder = mkdtempSync(join(tmpdir(), 'nigh-interchange-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('nigh import', () => {
  test('vectors with texts as ids: an index of row numbers, and the ids beside it', async () => {
    const ids = Array.from({ length: 500 }, (_, r) => `tt${r}`);
    await writeVectors(path('vectors.npy'), { matrix, ids });
    const { status, stdout, stderr } = run(
      ...['import', 'vectors.npy', '--metric', 'cosine', '--ids', 'vectors.ids.txt', '--to', 'items.ann'],
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^items\.ann: hnsw, cosine, 500 vectors of 8 dimensions, .*\nitems\.ids\.txt: /);
    expect(stderr).toMatch(/reading vectors\.npy .*\n.*indexing .*\n.*writing items\.ann /);
    expect(readFileSync(path('items.ids.txt'), 'utf8')).toBe(`${ids.join('\n')}\n`);
    using index = await openIndex(path('items.ann'));
    expect((await index.search(rowOf(matrix, 7), 1)).ids[0]).toBe(7);
  });

  test('numbers as ids are the ids of the index; --json says what was written', async () => {
    await writeVectors(path('numbers.parquet'), {
      matrix,
      ids: Uint32Array.from({ length: 500 }, (_, r) => 1000 + r),
    });
    const { status, stdout, stderr } = run(
      ...['import', 'numbers.parquet', '--metric', 'l2', '--kind', 'flat', '--to', 'flat.ann', '--dim', '8', '--json'],
    );
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      path: 'flat.ann',
      kind: 'flat',
      metric: 'l2',
      dim: 8,
      count: 500,
      fileBytes: readFileSync(path('flat.ann')).length,
    });
    expect(existsSync(path('flat.ids.txt'))).toBe(false);
    using index = await openIndex(path('flat.ann'));
    expect((await index.search(rowOf(matrix, 7), 1)).ids[0]).toBe(1007);
  });

  test('an index of hnswlib and back: hnswlib opens what was exported', () => {
    const { HierarchicalNSW } = hnswlibNode;
    const graph = new HierarchicalNSW('l2', 8);
    graph.initIndex({ maxElements: 500, m: 16, efConstruction: 100, randomSeed: 1 });
    for (let r = 0; r < 500; r++) graph.addPoint(Array.from(rowOf(matrix, r)), r * 2);
    graph.writeIndexSync(path('theirs.bin'));
    const imported = run(
      ...['import', 'theirs.bin', '--from', 'hnswlib', '--metric', 'l2', '--to', 'theirs.ann', '--graph', 'keep'],
    );
    expect(imported.status, imported.stderr).toBe(0);
    const exported = run('export', 'theirs.ann', '--as', 'hnswlib', '--to', 'ours.bin', '--json');
    expect(exported.status, exported.stderr).toBe(0);
    expect(JSON.parse(exported.stdout)).toMatchObject({ format: 'hnswlib', dim: 8, count: 500 });
    const again = new HierarchicalNSW('l2', 8);
    again.readIndexSync(path('ours.bin'));
    expect(again.searchKnn(Array.from(rowOf(matrix, 9)), 1).neighbors).toEqual([18]);
  });

  test('wrong usage ends with 2, files that cannot be read with 1, and neither leaves a file', () => {
    const wrong: [status: number, message: RegExp, ...args: string[]][] = [
      [2, /--metric/, 'import', 'vectors.npy', '--to', 'x.ann'],
      [2, /--to/, 'import', 'vectors.npy', '--metric', 'l2'],
      [2, /cosine/, 'import', 'vectors.npy', '--metric', 'cos', '--to', 'x.ann'],
      [2, /--kind/, 'import', 'x.bin', '--from', 'hnswlib', '--kind', 'flat', '--metric', 'l2', '--to', 'x.ann'],
      [2, /--graph/, 'import', 'vectors.npy', '--graph', 'keep', '--metric', 'l2', '--to', 'x.ann'],
      [2, /--dim/, 'import', 'vectors.npy', '--dim', '0', '--metric', 'l2', '--to', 'x.ann'],
      [1, /NOT_FOUND/, 'import', 'absent.npy', '--metric', 'l2', '--to', 'x.ann'],
      [1, /DIMENSION_MISMATCH/, 'import', 'vectors.npy', '--dim', '9', '--metric', 'l2', '--to', 'x.ann'],
      [1, /FORMAT|TRUNCATED/, 'import', 'vectors.npy', '--from', 'hnswlib', '--metric', 'l2', '--to', 'x.ann'],
      [1, /not an npy/, 'import', 'theirs.bin', '--from', 'npy', '--metric', 'l2', '--to', 'x.ann'],
    ];
    for (const [status, message, ...args] of wrong) {
      const finished = run(...args);
      expect(finished, args.join(' ')).toMatchObject({ status, stdout: '' });
      expect(finished.stderr, args.join(' ')).toMatch(message);
    }
    expect(readdirSync(folder).filter((name) => /^x\.|tmp/.test(name))).toEqual([]);
  });

  test('Ctrl-C in the middle leaves nothing', async () => {
    const large = clustered(60_000, 64, 1);
    await writeVectors(path('large.fbin'), { matrix: large });
    const running = new RunningNigh(['import', 'large.fbin', '--metric', 'l2', '--to', 'large.ann'], { cwd: folder });
    await running.says(/reading large\.fbin \(/);
    running.child.kill('SIGINT');
    expect((await running.finished).status).toBe(130);
    expect(readdirSync(folder).filter((name) => name.startsWith('large'))).toEqual(['large.fbin']);
  });
});

describe('nigh export', () => {
  test('an index file to every format; ids beside it only where they say something', async () => {
    await writeVectors(path('plain.fvecs'), { matrix });
    expect(run('import', 'plain.fvecs', '--metric', 'l2', '--to', 'plain.ann').status).toBe(0);
    for (const ending of ['npy', 'fvecs', 'fbin', 'parquet', 'jsonl', 'hdf5']) {
      const { status, stdout, stderr } = run('export', 'plain.ann', '--to', `plain-out.${ending}`);
      expect(status, stderr).toBe(0);
      expect(stdout).toContain(`plain-out.${ending}: ${ending}, 500 vectors of 8 dimensions`);
      expect((await readVectors(path(`plain-out.${ending}`))).matrix.data).toEqual(matrix.data);
      expect(existsSync(path('plain-out.ids.txt'))).toBe(false);
    }
    run('export', 'flat.ann', '--to', 'flat-out.fbin');
    const { ids } = await readVectors(path('flat-out.fbin'), { ids: path('flat-out.ids.txt') });
    expect(ids?.slice(0, 2)).toEqual(Uint32Array.of(1000, 1001));
  });

  test('a space of a collection: items, users, and its graph for hnswlib, with the ids that people know', async () => {
    layOut(folder);
    expect(run('build', 'films').status).toBe(0);
    const items = run('export', 'films', '--space', 'cf', '--to', 'cf.npy', '--json');
    expect(items.status, items.stderr).toBe(0);
    expect(JSON.parse(items.stdout)).toMatchObject({ dim: 8, count: 60, format: 'npy', ids: 'cf.ids.txt' });
    const read = await readVectors(path('cf.npy'), { ids: path('cf.ids.txt') });
    expect(read.ids?.slice(0, 2)).toEqual(['f1', 'f2']);
    expect(run('export', 'films', '--space', 'cf', '--of', 'users', '--to', 'users.parquet').status).toBe(0);
    const users = await readVectors(path('users.parquet'));
    expect([users.matrix.rows, users.ids?.[0]]).toEqual([90, 'u1']);
    // What the retriever recommends is what these vectors say.
    const score = (item: number) =>
      rowOf(users.matrix, 0).reduce((sum, v, d) => sum + v * rowOf(read.matrix, item)[d]!, 0);
    const { results } = JSON.parse(run('recommend', 'films', 'u1', '-k', '1', '--space', 'cf', '--json').stdout);
    expect(score(Array.from<unknown>(read.ids ?? []).indexOf(results[0].id))).toBeCloseTo(results[0].score, 4);
    expect(run('export', 'films', '--space', 'text', '--as', 'hnswlib', '--to', 'text.bin').status).toBe(0);
    const graph = new hnswlibNode.HierarchicalNSW('cosine', 8);
    graph.readIndexSync(path('text.bin'));
    expect(graph.getCurrentCount()).toBe(60);
    expect(readFileSync(path('text.ids.txt'), 'utf8').split('\n')[59]).toBe('f60');
  });

  test('wrong usage ends with 2, what cannot be done with 1', () => {
    const wrong: [status: number, message: RegExp, ...args: string[]][] = [
      [2, /Known: \.npy/, 'export', 'plain.ann', '--to', 'y.doc'],
      [2, /--space/, 'export', 'plain.ann', '--space', 'cf', '--to', 'y.npy'],
      [2, /--of/, 'export', 'films', '--of', 'users', '--as', 'hnswlib', '--to', 'y.bin'],
      [1, /UNKNOWN_SPACE/, 'export', 'films', '--space', 'cg', '--to', 'y.npy'],
      [1, /NO_VECTOR/, 'export', 'films', '--space', 'text', '--of', 'users', '--to', 'y.npy'],
      [1, /UNKNOWN_COLLECTION/, 'export', 'folms', '--to', 'y.npy'],
      [1, /UNSUPPORTED/, 'export', 'flat.ann', '--as', 'hnswlib', '--to', 'y.bin'],
      [1, /column 0 is -?[\d.]+; the format holds integers/, 'export', 'plain.ann', '--to', 'y.bvecs'],
    ];
    for (const [status, message, ...args] of wrong) {
      const finished = run(...args);
      expect(finished, args.join(' ')).toMatchObject({ status, stdout: '' });
      expect(finished.stderr, args.join(' ')).toMatch(message);
    }
    writeFileSync(path('not.ann'), 'nothing');
    expect(run('export', 'not.ann', '--to', 'y.npy').status).toBe(1);
    expect(readdirSync(folder).filter((name) => name.startsWith('y.'))).toEqual([]);
  });
});
