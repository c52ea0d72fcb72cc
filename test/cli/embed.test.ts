import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readVectors } from '../../src/data/vector-files/registry.js';
import { layOut, recipe } from './films.js';
import { nigh, requireBuild } from './nigh-command.js';

let folder: string;
const run = (...args: string[]) => nigh(args, { cwd: folder });
const path = (name: string) => join(folder, name);

beforeAll(() => {
  requireBuild();
  folder = mkdtempSync(join(tmpdir(), 'nigh-embed-'));
  layOut(folder, {
    spaces: {
      ...recipe.spaces,
      facts: { embedding: 'features', blocks: { genre: { type: 'tags' }, year: { type: 'number' } } },
      both: { embedding: 'concat', of: { text: 1, facts: 1 } },
    },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('nigh embed', () => {
  test('writes the vectors of one space with their ids, and builds nothing', async () => {
    const written = run('embed', 'films', '--space', 'both', '--out', 'both.parquet', '--json');
    expect(written.status, written.stderr).toBe(0);
    expect(written.stderr).not.toContain('cf');
    const { matrix, ids } = await readVectors(path('both.parquet'));
    expect(JSON.parse(written.stdout)).toMatchObject({
      path: 'both.parquet',
      format: 'parquet',
      space: 'both',
      embedding: 'concat',
      of: 'items',
      count: 60,
      dim: matrix.dim,
      fileBytes: readFileSync(path('both.parquet')).length,
      notes: { 'itemsWith.facts': 60 },
    });
    expect(ids).toHaveLength(60);
    expect(ids?.[0]).toBe('f1');
    const length = Math.hypot(...matrix.data.subarray(0, matrix.dim));
    expect(length).toBeCloseTo(1, 5);
    expect(readdirSync(path('indexes/films')).sort()).toEqual(['films.csv', 'likes.csv', 'recipe.json']);
  });

  test('writes ids beside a format that holds none, and users', async () => {
    const written = run('embed', 'films', '--of', 'users', '--out', 'users.npy');
    expect(written.status, written.stderr).toBe(0);
    expect(written.stdout).toMatch(/users\.npy: npy, 90 vectors of 8 dimensions/);
    const { matrix, ids } = await readVectors(path('users.npy'), { ids: path('users.ids.txt') });
    expect([matrix.rows, ids?.[0]]).toEqual([90, 'u1']);
  });

  test('leaves nothing behind where it cannot be done, and says why', () => {
    const wrong: [status: number, message: RegExp, ...args: string[]][] = [
      [2, /Known: \.npy/, 'films', '--out', 'y.doc'],
      [1, /facts.*UNKNOWN_SPACE/s, 'films', '--space', 'fact', '--out', 'y.npy'],
      [1, /NO_VECTOR/, 'films', '--space', 'text', '--of', 'users', '--out', 'y.npy'],
      [1, /NOT_FOUND/, 'folms', '--out', 'y.npy'],
      [2, /--out/, 'films'],
    ];
    for (const [status, message, ...args] of wrong) {
      const finished = run('embed', ...args);
      expect(finished, args.join(' ')).toMatchObject({ status, stdout: '' });
      expect(finished.stderr, args.join(' ')).toMatch(message);
    }
    expect(existsSync(path('y.npy'))).toBe(false);
  });
});

describe('weights of blocks on the command line', () => {
  test('change the question, and name what is wrong with them', () => {
    expect(run('build', 'films').status).toBe(0);
    const answer = (...args: string[]) => run('similar', 'films', 'f1', '--space', 'facts', '--json', ...args);
    const years = JSON.parse(answer('--weight', 'year=1', '-k', '2').stdout).results;
    // The other films of 1950.
    expect(years.map(({ id }: { id: string }) => id)).toEqual(['f21', 'f41']);
    const genres = JSON.parse(answer('--weight', 'genre=2', '--weight', 'year=0', '-k', '1').stdout).results;
    expect(genres[0]).toMatchObject({ id: 'f2', score: expect.closeTo(1, 5) });
    expect(run('recommend', 'films', 'u1', '--space', 'facts', '--weight', 'genre=1').status).toBe(0);
    expect(answer('--weight', 'genre')).toMatchObject({ status: 2, stderr: expect.stringContaining('name=number') });
    expect(answer('--weight', 'genres=1')).toMatchObject({ status: 1, stderr: expect.stringContaining('genre') });
  });
});
