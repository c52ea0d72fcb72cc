/** The suite on a few rows: that it works, recall, distance counts and the shape of its result. Times are never asserted. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BenchmarkResult, benchmarkResult, type EngineResult } from '../../src/evaluation/benchmark/result.js';
import { run } from '../../src/setup/run-command.mjs';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nigh-bench-test-'));
const json = join(folder, 'result.json');
let output = '';
let result: BenchmarkResult;
let engines: ReadonlyMap<string, EngineResult>;

function bench(...args: string[]): Promise<string> {
  return run(process.execPath, ['--expose-gc', join(root, 'build/bench/main.js'), ...args], {
    env: { ...process.env, NIGH_CACHE: folder },
  });
}

describe('the benchmark suite', () => {
  beforeAll(async () => {
    await run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(root, 'bench/tsconfig.json'),
    ]);
    output = await bench('ann', '--grid', 'smoke', '--json', json);
    result = JSON.parse(readFileSync(json, 'utf8')) as BenchmarkResult;
    engines = new Map(result.datasets[0]!.engines.map((engine) => [engine.key, engine]));
  }, 240_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  test('runs a grid from the builds to tables and a result of the documented format', () => {
    expect([...Compile(benchmarkResult).Errors(result)]).toEqual([]);
    const schema = JSON.parse(readFileSync(join(root, 'bench/result.schema.json'), 'utf8'));
    expect(schema).toEqual(JSON.parse(JSON.stringify(benchmarkResult)));
    expect([...engines.keys()]).toEqual(['nigh', 'nigh-none', 'nigh-f16', 'nigh-flat', 'hnswlib-node']);
    expect(output).toContain('Queries a second');
    expect(output).toContain('hnswlib-node BruteforceSearch');
    for (const engine of engines.values()) {
      const threads = engine.engine === 'nigh-hnsw' ? [2, 1] : [1];
      expect(engine.builds.map((build) => build.threads)).toEqual(threads);
      expect(engine.bytesPerVector).toBeGreaterThan(16 * 4);
      expect(engine.coldOpening.memory).toBeDefined();
    }
    expect(engines.get('hnswlib-node')!.atRecall[1]!.ratio).toEqual({ median: 1, min: 1, max: 1 });
  });

  test('every engine reaches the recall that its efforts are for, and exact search has all of it', () => {
    for (const { key, curve } of engines.values()) {
      expect(curve.at(-1)!.recall, key).toBeGreaterThan(0.99);
      expect(
        curve.map(({ effort }) => effort),
        key,
      ).toEqual(curve.map(({ effort }) => effort).sort((a, b) => a - b));
    }
    const [exact] = engines.get('nigh-flat')!.curve;
    expect(exact).toMatchObject({ recall1: 1, recall: 1, recall100: 1 });
    expect(exact!.distances).toBe(2000);
  });

  test('a graph computes fewer distances than there are rows, and more of them at more effort', () => {
    for (const key of ['nigh', 'nigh-none', 'nigh-f16']) {
      const counts = engines.get(key)!.curve.map(({ distances }) => distances!);
      expect(counts[0], key).toBeGreaterThan(10);
      expect(counts[0], key).toBeLessThan(1000);
      expect(counts, key).toEqual([...counts].sort((a, b) => a - b));
    }
    expect(engines.get('hnswlib-node')!.curve[0]!.distances).toBeNull();
  });

  test('filtered answers are full and right, and half an index can be replaced', () => {
    for (const { key, filtered } of engines.values()) {
      expect(
        filtered.map(({ share }) => share),
        key,
      ).toEqual([0.5, 0.01]);
      for (const { recall, short } of key === 'hnswlib-node' ? [] : filtered) {
        expect(recall, key).toBeGreaterThan(0.9);
        expect(short, key).toBe(0);
      }
    }
    for (const { fresh, refilled } of result.datasets[0]!.changes!.refilled) {
      expect(refilled).toBeGreaterThan(fresh - 0.05);
    }
  });

  test('an index from the cache is taken again, with what its build took', async () => {
    await bench('ann', '--grid', 'smoke', '--algorithms', 'nigh,hnswlib-node', '--repeats', '1', '--json', json);
    const again = JSON.parse(readFileSync(json, 'utf8')) as BenchmarkResult;
    for (const { key, builds } of again.datasets[0]!.engines) {
      expect(
        builds.every(({ earlier }) => earlier),
        key,
      ).toBe(true);
      expect(
        builds.map(({ seconds }) => seconds),
        key,
      ).toEqual(engines.get(key)!.builds.map(({ seconds }) => seconds));
    }
  });

  test('what cannot be done is said in a line', async () => {
    await expect(bench('ann', '--grid', 'smoke', '--algorithms', 'nothing')).rejects.toThrow();
    await expect(bench('no-such-dataset')).rejects.toThrow();
  });
});
