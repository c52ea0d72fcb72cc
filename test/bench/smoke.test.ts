/** The suite on a few rows: that it works, recall, distance counts and the shape of its result. Times are never asserted. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeVectors } from '../../src/data/vector-files/registry.js';
import { type BenchmarkResult, benchmarkResult, type EngineResult } from '../../src/evaluation/benchmark/result.js';
import { run } from '../../src/setup/run-command.mjs';
import { type PgliteServer, startPglite } from '../postgres/support/pglite-server.js';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'nigh-bench-test-'));
const json = join(folder, 'result.json');
let output = '';
let result: BenchmarkResult;
let engines: ReadonlyMap<string, EngineResult>;

function bench(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
  return run(process.execPath, ['--expose-gc', join(root, 'build/bench/main.js'), ...args], {
    env: { ...process.env, NIGH_BENCH_PG: '', NIGH_CACHE: folder, ...env },
  });
}

/** A module of the suite as it runs, which imports the package by its name. */
function compiled(name: string): Promise<unknown> {
  return import(pathToFileURL(join(root, 'build/bench', name)).href);
}

/** As the files of ann-benchmarks.com are: rows to index, queries, and the ids and distances of the queries' neighbours. */
async function writeLikeAnnBenchmarks(path: string, values: Float32Array, dim: number, trained: number): Promise<void> {
  const library = await import('h5wasm/node');
  await library.ready;
  const file = new library.File(path, 'w');
  const rows = values.length / dim;
  const queries = rows - trained;
  const create = (name: string, data: Float32Array | Int32Array, shape: number[], dtype: string) =>
    file.create_dataset({ name, data, shape, dtype });
  create('train', values.slice(0, trained * dim), [trained, dim], '<f');
  create('test', values.slice(trained * dim), [queries, dim], '<f');
  create('neighbors', new Int32Array(queries), [queries, 1], '<i');
  create('distances', new Float32Array(queries), [queries, 1], '<f');
  file.close();
}

describe('the benchmark suite', () => {
  beforeAll(async () => {
    await run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(root, 'bench/tsconfig.json'),
    ]);
    output = await bench({}, 'ann', '--grid', 'smoke', '--json', json);
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

  test('builds tell the time of the processor beside that of the clock', () => {
    for (const { key, builds } of engines.values()) {
      for (const { cpuSeconds } of builds) expect(cpuSeconds, key).toBeGreaterThan(0);
    }
  });

  describe('with an engine and a dataset that fail, a database and a file at an address', () => {
    let again: BenchmarkResult;
    let database: PgliteServer;
    let server: Server;
    const dim = 8;
    const values = Float32Array.from({ length: 300 * dim }, (_, at) => Math.sin(at * at));

    beforeAll(async () => {
      database = await startPglite();
      const file = join(folder, 'source.hdf5');
      await writeLikeAnnBenchmarks(file, values, dim, 260);
      server = createServer((_, answer) => answer.end(readFileSync(file))).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const grid = JSON.parse(readFileSync(join(root, 'bench/grids/smoke.json'), 'utf8'));
      const { nigh } = grid.algorithms;
      const changed = {
        ...{ ...grid, repeats: 1, threads: [2, 1] },
        algorithms: {
          ...grid.algorithms,
          broken: { ...nigh, build: { M: 1 } },
          pgvector: { engine: 'pgvector', efforts: [320] },
        },
        datasets: [
          { name: join(folder, 'missing.npy'), metric: 'l2', algorithms: ['nigh-flat'] },
          { name: 'tiny', algorithms: ['nigh', 'broken', 'hnswlib-node', 'pgvector'], filters: [0.01] },
          { name: `http://127.0.0.1:${port}/small-8-angular.hdf5`, algorithms: ['nigh-flat'], threads: [1] },
        ],
      };
      writeFileSync(join(folder, 'grid.json'), JSON.stringify(changed));
      const whole = bench({ NIGH_BENCH_PG: database.url }, 'ann', '--grid', join(folder, 'grid.json'), '--json', json);
      await expect(whole).rejects.toThrow('exit code 1');
      again = JSON.parse(readFileSync(json, 'utf8')) as BenchmarkResult;
    }, 240_000);

    afterAll(async () => {
      server?.close();
      await database?.close();
    });

    test('the others are measured, and what failed is named with the reason', () => {
      expect(again.datasets.map(({ engines: measured }) => measured.map(({ key }) => key))).toEqual([
        ['nigh', 'hnswlib-node', 'pgvector'],
        ['nigh-flat'],
      ]);
      expect(again.failed).toEqual([
        { dataset: join(folder, 'missing.npy'), why: expect.stringMatching(/missing\.npy/) },
      ]);
      expect(again.datasets[0]!.leftOut).toEqual([{ key: 'broken', why: expect.stringMatching(/\bM\b/) }]);
    });

    test('an index from the cache is taken again, with what its build took', () => {
      for (const { key, builds } of again.datasets[0]!.engines.slice(0, 2)) {
        expect(
          builds.every(({ earlier }) => earlier),
          key,
        ).toBe(true);
        expect(
          builds.map(({ seconds, cpuSeconds }) => [seconds, cpuSeconds]),
          key,
        ).toEqual(engines.get(key)!.builds.map(({ seconds, cpuSeconds }) => [seconds, cpuSeconds]));
      }
    });

    test('pgvector answers as the others do, under filters too, and says its version and size', () => {
      const found = again.datasets[0]!.engines[2]!;
      expect(found.version).toMatch(/^\d+\.\d+\.\d+, PostgreSQL \d+/);
      expect(found.curve.at(-1)!.recall).toBeGreaterThan(0.99);
      expect(found.filtered[0]).toMatchObject({ share: 0.01, short: 0 });
      expect(found.bytesPerVector).toBeGreaterThan(16 * 4);
      expect(found.builds[0]!.cpuSeconds).toBeNull();
    });

    test('an HDF5 file at an address brings its rows, its queries and, in its name, its metric', () => {
      const { dataset, engines: measured } = again.datasets[1]!;
      expect(dataset).toMatchObject({ metric: 'cosine', rows: 260, dim, queries: 40 });
      expect(dataset.sha256).toBe(
        createHash('sha256')
          .update(new Uint8Array(values.buffer, 0, 260 * dim * 4))
          .digest('hex'),
      );
      expect(measured[0]!.curve[0]).toMatchObject({ recall: 1, recall100: 1 });
    });
  });

  test.each(['npy', 'fvecs', 'parquet'])(
    'a %s file is a dataset, of which some rows are held out as queries',
    async (ending) => {
      const path = join(folder, `vectors.${ending}`);
      const rows = 250;
      const data = Float32Array.from({ length: rows * 4 }, (_, at) => Math.fround(Math.cos(at)));
      await writeVectors(path, { matrix: { data, rows, dim: 4 } });
      const { fileDataset } = (await compiled('datasets/file.js')) as typeof import('../../bench/datasets/file.js');
      const { base, queries, dim } = await (await fileDataset(path, 'ip')).make();
      expect([base.length, queries.length, dim]).toEqual([150 * 4, 100 * 4, 4]);
      const row = (from: Float32Array, r: number) => from.slice(r * 4, r * 4 + 4).join();
      const all = Array.from({ length: rows }, (_, r) => row(data, r));
      const kept = Array.from({ length: 150 }, (_, r) => row(base, r));
      expect([...kept, ...Array.from({ length: 100 }, (_, r) => row(queries, r))].sort()).toEqual(all.sort());
      await expect(fileDataset(path, undefined)).rejects.toThrow('--metric');
    },
  );

  test('targets are told as reached, missed or not measured, and every one of them can be read', async () => {
    const targets = (await compiled('report/targets.js')) as typeof import('../../bench/report/targets.js');
    const { datasets } = (await compiled('datasets/registry.js')) as typeof import('../../bench/datasets/registry.js');
    const all = targets.readTargets();
    for (const { dataset } of all.targets) expect(datasets.has(dataset), dataset).toBe(true);
    const none = targets.targetRows({ ...result, datasets: [] }, all);
    expect(none.map(({ verdict }) => verdict)).toEqual(all.targets.map(() => 'not measured'));
    // Some rows of a dataset are another one.
    const [tiny] = result.datasets;
    const part = { ...tiny!, dataset: { ...tiny!.dataset, sha256: 'of some rows' } };
    const ofTiny = { ...all, targets: [{ dataset: 'tiny', figure: 'fileBytes', atLeast: 0 }] };
    expect(targets.targetRows(result, ofTiny)[0]!.verdict).toBe('reached');
    expect(targets.targetRows({ ...result, datasets: [part] }, ofTiny)[0]!.verdict).toBe('not measured');
    // Each of them asked of what was measured here, with a bound that everything reaches, and one that nothing does.
    const unlike = (verdict: string, atLeast: number) => {
      const asked = all.targets.map(({ figure, recall, threads }) => ({
        dataset: 'tiny',
        figure,
        recall,
        threads,
        atLeast,
      }));
      return targets
        .targetRows(result, { ...all, targets: asked })
        .filter((row) => row.verdict !== verdict)
        .map(({ what, verdict: found }) => `${what}: ${found}`);
    };
    // The peer finds more than .60 here at every effort.
    const unread = [expect.stringContaining('less than .60: not measured')];
    expect(unlike('reached', -1e9)).toEqual(unread);
    expect(unlike('missed', 1e9)).toEqual(unread);
  });

  test('the results of two parts become one, unless they are of other machines', async () => {
    const { mergedResult } = (await compiled(
      'ann/merged-result.js',
    )) as typeof import('../../bench/ann/merged-result.js');
    const part = (names: readonly string[], repeats: number, failed: readonly string[] = []): BenchmarkResult => ({
      ...result,
      failed: failed.map((dataset) => ({ dataset, why: 'x' })),
      datasets: names.map((name) => ({
        ...result.datasets[0]!,
        repeats,
        dataset: { ...result.datasets[0]!.dataset, name },
      })),
    });
    const merged = mergedResult(part(['c', 'a'], 1, ['b', 'd']), part(['b', 'a'], 2), ['a', 'b', 'c']);
    expect(merged.datasets.map(({ dataset, repeats }) => [dataset.name, repeats])).toEqual([
      ['a', 2],
      ['b', 2],
      ['c', 1],
    ]);
    expect(merged.failed!.map(({ dataset }) => dataset)).toEqual(['d']);
    const elsewhere = { ...part([], 1), machine: { ...result.machine, cpu: 'another' } };
    expect(() => mergedResult(elsewhere, part(['a'], 2), ['a'])).toThrow('another');
  });

  test('the crossing of exact search and a graph lies between two sizes, or beyond the sizes', async () => {
    const { crossings } = (await compiled('crossover-rule.js')) as typeof import('../../bench/crossover-rule.js');
    const points = (metric: string, ratios: readonly number[]) =>
      ratios.map((ratio, at) => ({
        ...{ rows: 1000 * 10 ** at, dim: 8, metric, exactMicros: 1, buildSeconds: 1 },
        graph: [{ wanted: 0.99, effort: 1, micros: 1, ratio }],
      }));
    // A row of 8 dimensions counts as 32 values; a dip after the first crossing counts.
    const found = crossings(
      [...points('l2', [1, 3, 1, 4]), ...points('ip', [3, 4]), ...points('cosine', [1, 1.5])],
      0.99,
    );
    expect(found).toMatchObject([
      { metric: 'l2', dim: 8, bound: undefined },
      { metric: 'ip', values: 32_000, bound: 'at most' },
      { metric: 'cosine', values: 320_000, bound: 'at least' },
    ]);
    expect(found[0]!.values).toBeCloseTo(3_200_000 * Math.sqrt(10), 3);
  });

  test('what cannot be done is said in a line', async () => {
    await expect(bench({}, 'ann', '--grid', 'smoke', '--algorithms', 'nothing')).rejects.toThrow();
    await expect(bench({}, 'no-such-dataset')).rejects.toThrow();
    await expect(bench({}, 'ann', 'tiny', '--merge')).rejects.toThrow('exit code 2');
  });
});
