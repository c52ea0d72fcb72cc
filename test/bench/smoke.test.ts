import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../src/setup/run-command.mjs';

const root = resolve(import.meta.dirname, '../..');

test('a comparison runs from the builds to its tables and its JSON', { timeout: 240_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nigh-bench-test-'));
  try {
    await run(process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(root, 'bench/tsconfig.json'),
    ]);
    const output = await run(
      process.execPath,
      [
        ...['--expose-gc', join(root, 'build/bench/main.js'), 'tiny', '--queries', '20', '--repeats', '2'],
        ...['--peers', 'hnswlib-node', '--json', join(folder, 'result.json')],
      ],
      { env: { ...process.env, NIGH_CACHE: folder } },
    );
    expect(output).toContain('Queries a second');
    expect(output).toContain('hnswlib-node BruteforceSearch');
    const { engines, exact } = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
    expect(engines.map(({ name }: { name: string }) => name)).toEqual([
      'nigh (defaults)',
      'nigh M=16',
      'hnswlib-node M=16',
    ]);
    for (const { curve, atRecall, build } of engines) {
      expect(curve.at(-1).recall).toBeGreaterThan(0.99);
      expect(atRecall[1].qps.median).toBeGreaterThan(0);
      expect(build.fileBytes).toBeGreaterThan(0);
    }
    expect(engines[2].atRecall[1].ratio.median).toBe(1);
    expect(exact.speeds.length).toBeGreaterThan(3);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
