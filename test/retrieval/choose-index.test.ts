import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mulberry32 } from '../../src/core/random.js';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { buildIndex } from '../../src/retrieval/build-index.js';
import { chooseIndexKind, mostScannedValues } from '../../src/retrieval/choose-index.js';
import { liveGeneration, readManifest } from '../../src/retrieval/generation.js';
import { parseIndex, parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { verifyCollection } from '../../src/retrieval/upkeep/verify-collection.js';

const dim = 1000;
const limit = mostScannedValues.others / dim;
const next = mulberry32(8);
const values = Float32Array.from({ length: (limit + 1) * dim }, () => next() - 0.5);

describe('an index of kind auto', () => {
  test('is exact up to the limit and a graph from one row beyond', async () => {
    expect(Number.isInteger(limit)).toBe(true);
    const settings = parseIndex({ kind: 'auto', M: 8, efConstruction: 20 }, 'index');
    for (const [rows, kind] of [
      [limit, 'flat'],
      [limit + 1, 'hnsw'],
    ] as const) {
      expect(chooseIndexKind(rows, dim, 'cosine')).toBe(kind);
      const matrix = { data: values.subarray(0, rows * dim), rows, dim };
      const ordinals = Uint32Array.from({ length: rows }, (_, row) => row);
      const index = await buildIndex({ matrix, ordinals }, 'cosine', settings, {
        threads: 1,
        signal: undefined,
        onProgress: () => {},
      });
      expect(index.kind).toBe(kind);
      expect(index.size).toBe(rows);
      index.close();
    }
  });

  test('decides by values, and a short row counts as one of 32', () => {
    for (const [metric, most] of [
      ['l2', mostScannedValues.others],
      ['ip', mostScannedValues.ip],
    ] as const) {
      expect(chooseIndexKind(most / 100, 100, metric)).toBe('flat');
      expect(chooseIndexKind(most / 100 + 1, 100, metric)).toBe('hnsw');
      expect(chooseIndexKind(most / 32, 2, metric)).toBe('flat');
      expect(chooseIndexKind(most / 32 + 1, 2, metric)).toBe('hnsw');
    }
    expect(chooseIndexKind(0, 100, 'l2')).toBe('flat');
  });

  test('takes what hnsw takes, and not both efforts', () => {
    expect(parseIndex({ kind: 'auto', quantization: 'f16', recall: 0.9 }, 'index')).toMatchObject({ kind: 'auto' });
    expect(() => parseIndex({ kind: 'auto', efSearch: 10, recall: 0.9 }, 'index')).toThrow(/only one of/);
    expect(() => parseIndex({ kind: 'auto', links: 3 }, 'index')).toThrow(/no such option/);
  });
});

describe('a collection whose spaces are of kind auto', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nigh-auto-'));
    const ids = Array.from({ length: limit + 1 }, (_, row) => `item-${row}`);
    const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
    await writeFile(join(directory, 'items.jsonl'), lines(ids.map((id) => ({ id }))));
    const vectors = (count: number) =>
      lines(ids.slice(0, count).map((id, row) => ({ id, vector: [...values.subarray(row * dim, (row + 1) * dim)] })));
    await writeFile(join(directory, 'few.jsonl'), vectors(limit));
    await writeFile(join(directory, 'many.jsonl'), vectors(limit + 1));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test('says in its manifest what each became, is sound, and answers with the efforts of the recipe', {
    timeout: 60_000,
  }, async () => {
    const recipe = {
      name: 'auto',
      dataset: { source: 'jsonl', items: { path: 'items.jsonl', id: 'id' } },
      recallFloor: 0.5,
      spaces: {
        few: { embedding: 'precomputed', file: 'few.jsonl', index: { kind: 'auto', efSearch: 100 } },
        many: { embedding: 'precomputed', file: 'many.jsonl', index: { kind: 'auto', efSearch: 100 } },
        wanted: { embedding: 'precomputed', file: 'few.jsonl', index: { kind: 'auto', recall: 0.9 } },
      },
    };
    const built = join(directory, 'built');
    await buildCollection(parseRecipe(JSON.stringify(recipe), directory), built, { threads: 1 });
    const { spaces } = await readManifest(join(built, (await liveGeneration(built))!));
    expect(spaces.map(({ name, similar }) => [name, similar.kind])).toEqual([
      ['few', 'flat'],
      ['many', 'hnsw'],
      ['wanted', 'flat'],
    ]);
    expect((await verifyCollection(built)).findings).toEqual([]);
    await using world = await Retriever.open(built);
    const ask = async (space: string) =>
      (await world.similarItems('item-3', { space, k: 5 })).results.map(({ id }) => id);
    expect(await ask('few')).toHaveLength(5);
    expect(await ask('few')).toEqual(await ask('wanted'));
    expect(await ask('many')).toHaveLength(5);
  });
});
