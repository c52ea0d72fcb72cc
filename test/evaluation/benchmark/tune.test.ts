import { describe, expect, test } from 'vitest';
import { mulberry32 } from '../../../src/core/random.js';
import { tuneIndex } from '../../../src/evaluation/benchmark/tune.js';
import { FlatIndex } from '../../../src/index/flat-index.js';
import { HnswIndex } from '../../../src/index/hnsw-index.js';
import { parseIndex } from '../../../src/retrieval/recipe.js';

const next = mulberry32(3);
const draw = (rows: number, dim: number) => ({
  data: Float32Array.from({ length: rows * dim }, () => next() - 0.5),
  rows,
  dim,
});

describe('tuning an index', () => {
  const vectors = draw(3000, 24);
  const questions = draw(60, 24);

  test('gives trials whose effort reaches the recall, and lines that a recipe takes', { timeout: 60_000 }, async () => {
    const seen: string[] = [];
    const { trials, recipe } = await tuneIndex(
      { vectors, metric: 'l2', questions, recall: 0.9, k: 10 },
      { onProgress: (candidate, done, total) => seen.push(`${done}/${total} ${candidate}`) },
    );
    expect(seen[0]).toBe('0/10 exact search');
    expect(seen).toHaveLength(10);
    expect(trials).toHaveLength(10);
    expect(trials.filter(({ kind }) => kind === 'flat')).toHaveLength(1);
    expect(parseIndex(recipe, 'index')).toMatchObject(recipe);
    for (const { kind, recall, efSearch, micros } of trials) {
      expect(micros).toBeGreaterThan(0);
      if (kind === 'hnsw' && efSearch !== undefined) expect(recall).toBeGreaterThan(0.8);
    }
    // Found again by hand: the trial with the defaults.
    const { efSearch } = trials.find(
      ({ M, efConstruction, quantization }) => M === 32 && efConstruction === 200 && quantization === 'sq8',
    )!;
    using flat = await FlatIndex.build(vectors, { metric: 'l2' });
    using index = await HnswIndex.build(vectors, { metric: 'l2' });
    let found = 0;
    for (let q = 0; q < questions.rows; q++) {
      const question = questions.data.subarray(q * 24, q * 24 + 24);
      const truth = new Set(flat.searchSync(question, 10).ids);
      found += index.searchSync(question, 10, { efSearch }).ids.filter((id) => truth.has(id)).length;
    }
    expect(found / (10 * questions.rows)).toBeGreaterThan(0.85);
  });

  test('refuses a recall that cannot be, bits, and a single question', async () => {
    const task = { vectors, metric: 'l2', questions, recall: 0.9, k: 10 } as const;
    await expect(tuneIndex({ ...task, recall: 1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(tuneIndex({ ...task, metric: 'hamming' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(tuneIndex({ ...task, questions: draw(1, 24) })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const stopped = AbortSignal.abort();
    await expect(tuneIndex(task, { signal: stopped })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
