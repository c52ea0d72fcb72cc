import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compareBenchmarks, readBenchmarkResult } from '../../../src/evaluation/benchmark/compare.js';
import type { BenchmarkResult, EngineResult } from '../../../src/evaluation/benchmark/result.js';

/** @param speed of every point, @param drift of the machine, a round */
function engine(
  key: string,
  speed: number,
  drift: readonly number[],
  changed: Partial<EngineResult> = {},
): EngineResult {
  return {
    ...{ key, name: key, engine: key, version: '1', parameters: '', ours: key === 'nigh', effort: 'ef' },
    builds: [{ threads: 1, seconds: 10, peakBytes: 1, fileBytes: 1, othersCores: 0, at: 'then', earlier: false }],
    ...{
      bytesPerVector: 500,
      memoryPerVector: null,
      opening: {},
      coldOpening: {},
      asked: [],
      atRecall: [],
      filtered: [],
    },
    curve: [0.8, 0.92, 0.97, 0.995].map((recall, at) => ({
      ...{ effort: 10 * 2 ** at, recall1: recall, recall, recall100: null, visited: null, distances: null },
      ...{ p50: 1, p95: 1, p99: 1, p999: 1 },
      rounds: drift.map((factor) => (factor * speed) / 2 ** at),
    })),
    nearest: { effort: 40, recall: 0.97, asyncOverheadMicros: null, batch: [] },
    ...changed,
  };
}

function result(ours: number, drift: readonly number[], changed: Partial<EngineResult> = {}): BenchmarkResult {
  return {
    ...{ format: 'nigh-bench-ann', version: 1, createdAt: '2026-01-01T00:00:00Z', grid: 'g', k: 10, skipped: [] },
    machine: { cpu: 'c', cores: 2, memoryBytes: 1, simd: 'avx2', system: 's', node: 'v20' },
    nigh: { version: '0', commit: null },
    datasets: [
      {
        dataset: { name: 'd', about: '', metric: 'l2', rows: 1, dim: 1, queries: 1, sha256: 'x' },
        ...{ othersCores: 0, repeats: 5, baseline: 'hnswlib-node', exact: null, changes: null },
        engines: [engine('nigh', ours, drift, changed), engine('hnswlib-node', 1000, drift)],
      },
    ],
  };
}

const noise = [1, 1.03, 0.97, 1.01, 0.99];
const folder = mkdtempSync(join(tmpdir(), 'nigh-compare-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('two benchmark results', () => {
  const speeds = (before: BenchmarkResult, after: BenchmarkResult) =>
    compareBenchmarks(before, after)
      .changes.filter(({ engine: name, figure }) => name === 'nigh' && figure.startsWith('queries/s'))
      .map(({ verdict }) => verdict);

  test('of a machine that became half as fast are the same, since the baseline did as well', () => {
    expect(
      speeds(
        result(5000, noise),
        result(
          5000,
          noise.map((factor) => factor / 2),
        ),
      ),
    ).toEqual(['same', 'same', 'same']);
  });

  test('show what is faster and slower, with the ratio inside its interval', () => {
    const { changes } = compareBenchmarks(result(5000, noise), result(6000, noise));
    const [first] = changes;
    expect(first).toMatchObject({
      dataset: 'd',
      engine: 'nigh',
      figure: 'queries/s at 0.9, × baseline',
      verdict: 'better',
    });
    expect(first!.ratio).toBeCloseTo(1.2);
    expect(first!.interval!.low).toBeLessThanOrEqual(first!.ratio);
    expect(first!.interval!.high).toBeGreaterThanOrEqual(first!.ratio);
    expect(speeds(result(5000, noise), result(4000, noise))).toEqual(['worse', 'worse', 'worse']);
  });

  test('show files that grew, builds that got faster and recall that moved at an effort', () => {
    const build = { threads: 1, seconds: 5, peakBytes: 1, fileBytes: 1, othersCores: 0, at: 'now', earlier: false };
    const after = result(5000, noise, { bytesPerVector: 600, builds: [build] });
    const [point, ...others] = after.datasets[0]!.engines[0]!.curve;
    after.datasets[0]!.engines[0]!.curve = [{ ...point!, recall: 0.7 }, ...others];
    const verdicts = new Map(
      compareBenchmarks(result(5000, noise), after)
        .changes.filter((change) => change.engine === 'nigh')
        .map(({ figure, verdict }) => [figure, verdict]),
    );
    expect(verdicts.get('bytes a vector, file')).toBe('worse');
    expect(verdicts.get('build s on 1')).toBe('better');
    expect(verdicts.get('recall at effort 10')).toBe('worse');
  });

  test("show the processor's time of builds only where both have it", () => {
    const build = { threads: 2, seconds: 5, peakBytes: 1, fileBytes: 1, othersCores: 0, earlier: false };
    const of = (at: string, cpuSeconds?: number | null) =>
      result(5000, noise, { builds: [{ ...build, at, ...(cpuSeconds === undefined ? {} : { cpuSeconds }) }] });
    const told = (before: BenchmarkResult, after: BenchmarkResult) =>
      compareBenchmarks(before, after)
        .changes.filter(({ figure }) => figure === 'build, s of the processor, on 2')
        .map(({ verdict }) => verdict);
    expect(told(of('then', 8), of('now', 4))).toEqual(['better']);
    expect(told(of('then'), of('now', 4))).toEqual([]);
    expect(told(of('then', 8), of('now', null))).toEqual([]);
  });

  test('say what cannot be compared', () => {
    const other = result(5000, noise);
    const changed = {
      ...other,
      machine: { ...other.machine, cores: 64 },
      datasets: other.datasets.map((each) => ({ ...each, dataset: { ...each.dataset, sha256: 'y' } })),
    };
    const { notes, changes } = compareBenchmarks(result(5000, noise), changed);
    expect(changes).toEqual([]);
    expect(notes.join(' ')).toMatch(/machines differ.*its rows are others/);
  });

  test('are read from files, and what is none is refused by the key that is wrong', async () => {
    const path = join(folder, 'result.json');
    writeFileSync(path, JSON.stringify(result(5000, noise)));
    expect(await readBenchmarkResult(path)).toEqual(result(5000, noise));
    writeFileSync(path, JSON.stringify({ ...result(5000, noise), datasets: [{ dataset: 3 }] }));
    await expect(readBenchmarkResult(path)).rejects.toMatchObject({ code: 'FORMAT', message: /datasets/ });
    writeFileSync(path, '{');
    await expect(readBenchmarkResult(path)).rejects.toMatchObject({ code: 'FORMAT' });
    await expect(readBenchmarkResult(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
