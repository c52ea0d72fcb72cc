import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { linesOfProcesses } from '../../src/setup/process-coverage.mjs';
import { command, repository, requireBuild } from '../cli/nigh-command.js';

test('lines of src that a process of dist reached are told from those that it did not', () => {
  requireBuild();
  const folder = mkdtempSync(join(tmpdir(), 'nigh-coverage-'));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    expect(spawnSync(process.execPath, [command, 'fetch', '--list'], { env }).status).toBe(0);
    const lines = linesOfProcesses(folder).get('src/cli/main.ts');
    const text = readFileSync(join(repository, 'src/cli/main.ts'), 'utf8').split('\n');
    const reached = (part: string) => lines?.has(text.findIndex((line) => line.includes(part)) + 1);
    expect(reached("process.on('SIGINT'")).toBe(true);
    expect(reached('addFetchCommand(nigh')).toBe(true);
    expect(reached('stop.abort(')).toBe(false);
    expect(reached('reportError(error')).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
