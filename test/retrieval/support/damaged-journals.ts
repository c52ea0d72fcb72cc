import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { requireBuild } from '../../cli/nigh-command.js';
import { randomWorld } from './random-world.js';

const program = fileURLToPath(new URL('./damaged-journals.mjs', import.meta.url));

/**
 * Alters a journal in so many places, one at a time, and opens and changes each in a process of its own for all, which must live.
 * @returns how many there were of every code, and of right answers
 */
export async function damageJournals(count: number, seed: number): Promise<Record<string, number>> {
  requireBuild();
  const scratch = await mkdtemp(join(tmpdir(), 'nigh-journal-damage-'));
  try {
    await mkdir(join(scratch, 'world'));
    const { directory } = await randomWorld(join(scratch, 'world'), 5, 'flat');
    {
      await using world = await Retriever.open(directory, { write: true, compactAfter: 0 });
      // Free pages, long values, and several levels.
      for (let n = 0; n < 60; n++) {
        const title = n % 9 === 0 ? `Title ${'long '.repeat(1000)}` : `Title ${n} ${'of something '.repeat(20)}`;
        await world.upsertItem(`n${n % 40}`, { title, attributes: { year: 1990 + (n % 9) } }, { requestId: `r${n}` });
        if (n % 10 === 3) await world.addInteractions([{ user: `u${n % 12}`, item: 'i0' }]);
        if (n === 30) await world.compact({ threads: 1, keep: 1 });
      }
    }
    const ended = await run([program, directory, scratch, String(count), String(seed)]);
    const last = await readFile(join(scratch, 'last'), 'utf8').catch(() => 'before any was altered');
    expect([ended.code, ended.signal], `${last}\n${ended.stderr}`).toEqual([0, null]);
    return JSON.parse(ended.stdout) as Record<string, number>;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function run(args: readonly string[]) {
  return new Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
