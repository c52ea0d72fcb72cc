/** Kills of a process that makes changes and compacts, one a test, so that their number is that of the tests; some of them in kills.test.ts. */
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../embeddings/support.js';
import { type Call, faultsMissing } from '../../support/faults/program.js';
import { randomFault } from '../upkeep/moments.js';
import { KillRounds } from './kill-rounds.js';

const count = 40;
const kinds = [
  { what: 'changes one by one', rounds: 60, width: 1, compactEvery: 0 },
  { what: 'changes together', rounds: 80, width: 6, compactEvery: 0 },
  { what: 'compactions under changes', rounds: 100, width: 4, compactEvery: 2 },
] as const;

describe.skipIf(faultsMissing !== undefined)('killed at a random moment', () => {
  const kills = new KillRounds();
  const counted = new Map<string, readonly Call[]>();
  beforeAll(() => kills.prepare());
  afterAll(() => kills.remove());

  for (const { what, rounds, width, compactEvery } of kinds) {
    test.each(Array.from({ length: rounds }, (_, round) => round))(
      `${what}: every change that was answered is there, and no part of another (%i)`,
      async (round) => {
        const steps = kills.steps(count, 100 + (round % 7));
        const key = `${what} ${round % 7}`;
        const plan = { steps: count, width, compactEvery };
        const calls = counted.get(key) ?? (await kills.run(steps, plan)).calls;
        counted.set(key, calls);
        const atCall = round % 5 !== 4;
        const fault = atCall ? randomFault(calls, 20_000 + round, ['kill', 'torn']) : undefined;
        const killAfterMs = atCall ? undefined : 200 + Math.floor(seeded(30_000 + round)() * 1500);
        const first = await kills.run(steps, { ...plan, fault, killAfterMs });
        // By the clock it may have ended before; a compaction takes its calls in another order each time, and may have had fewer.
        if (fault !== undefined && compactEvery === 0) expect(first.signal, first.stderr).toBe('SIGKILL');
        else expect([0, 'SIGKILL'], first.stderr).toContain(first.signal ?? first.code);
        await kills.expectWhole(
          steps,
          `${what}, ${fault === undefined ? 'by the clock' : `${fault.how} at ${fault.at}`}`,
        );
        // Killed again on what was left, and then let go on.
        await kills.run(steps, { ...plan, killAfterMs: 300 + (round % 10) * 50 }, false);
        const reached = await kills.expectWhole(steps, `${what}, again`);
        if (round % 4 !== 0) return;
        const { code, stderr } = await kills.run(steps, plan, false);
        expect(code, stderr).toBe(0);
        expect(await kills.expectWhole(steps, 'it went on')).toBeGreaterThanOrEqual(reached);
      },
    );
  }

  test.each(kinds)('power lost at any moment of $what: every change that was answered is on disk', async (kind) => {
    const steps = kills.steps(count, 200);
    const outcome = await kills.run(steps, { ...kind, steps: count, keepBytes: true });
    const random = seeded(40_000 + kind.rounds);
    const moments = Array.from({ length: kind.rounds }, () => Math.floor(random() * (outcome.calls.length + 1)));
    for (const [n, at] of moments.sort((a, b) => a - b).entries()) {
      const survival = n % 5 === 0 ? 'nothing' : n % 5 === 1 ? 'everything' : random;
      await kills.losePower(outcome, at, survival);
      await kills.expectWhole(steps, `power lost after ${at} of ${outcome.calls.length}`);
    }
  });

  test('a call that fails anywhere in a compaction, and a disk that is full from there on, leaves every change, and compactions go on', async () => {
    const steps = kills.steps(16, 79);
    const plan = { steps: 16, width: 4, compactEvery: 2, collectionOnly: true };
    const { calls } = await kills.run(steps, plan);
    const begin = calls.findIndex(({ path }) => path.includes('building-'));
    expect(begin).toBeGreaterThan(0);
    for (let n = begin; n < calls.length; n++) {
      if (/(?:data|lock)\.mdb/.test(calls[n]!.path)) continue;
      const how = n % 3 === 2 ? 'ENOSPC' : 'EIO';
      const { signal, code, stderr } = await kills.run(steps, { ...plan, fault: { at: n + 1, how } });
      const what = `${how} at ${n + 1}: ${JSON.stringify(calls[n])}`;
      // The journal's own calls come at other places each time: of a write that fails lmdb says more than it has room for.
      if (signal !== null) expect(signal, what).toBe('SIGABRT');
      else if (code !== 0) expect(stderr, what).toMatch(/code: 'IO'/);
      await kills.expectWhole(steps, what);
      const { stderr: after, code: ended } = await kills.run(steps, { ...plan, compactEvery: 1 }, false);
      expect(ended, `${what}\n${after}`).toBe(0);
      expect(await kills.expectWhole(steps, what)).toBe(steps.length);
    }
  });

  test('a change that the disk fails at any moment, sent again, is made once', async () => {
    const steps = kills.steps(24, 78);
    const plan = { steps: 24, width: 1, compactEvery: 0, tries: 3, collectionOnly: true };
    const { calls } = await kills.run(steps, plan);
    for (const [n, { name, path }] of calls.entries()) {
      if (basename(path) !== 'data.mdb' || !(name === 'fsync' || name === 'flushed-write')) continue;
      for (const how of ['EIO', 'late'] as const) {
        const { signal, code, stderr } = await kills.run(steps, { ...plan, fault: { at: n + 1, how } });
        const what = `${how} at ${n + 1}: ${JSON.stringify(calls[n])}`;
        if (signal !== null || code !== 0) expect([signal, stderr.includes("code: 'IO'")], what).toEqual([null, true]);
        const reached = await kills.expectWhole(steps, what);
        if (code === 0) expect(reached, what).toBe(steps.length);
      }
    }
  });

  test('every call of the journal that fails, and a disk that is full from there on, is an error of ours, and what was answered is there', async () => {
    const steps = kills.steps(12, 77);
    const plan = { steps: 12, width: 2, compactEvery: 0, collectionOnly: true };
    const { calls } = await kills.run(steps, plan);
    // After what tries them (try-opening.ts), which makes the lock file last, come lmdb's own calls of opening: where one of those fails, it ends
    // the process.
    const opening = new Set<number>();
    for (const [n, { name, path }] of calls.entries()) {
      if (name !== 'unlink' || !/^lock\.mdb\.[0-9a-f]+$/.test(basename(path))) continue;
      for (let own = n + 1; calls[own]!.name !== 'fsync'; own++) opening.add(own);
    }
    for (const [n, { path }] of calls.entries()) {
      if (!/^(?:data|lock)\.mdb/.test(basename(path))) continue;
      for (const how of ['EIO', 'ENOSPC'] as const) {
        const { signal, code, stderr } = await kills.run(steps, { ...plan, fault: { at: n + 1, how } });
        const what = `${how} at ${n + 1}: ${JSON.stringify(calls[n])}`;
        if (signal === 'SIGSEGV') expect(opening.has(n), what).toBe(true);
        // Of a write of a page that fails lmdb says more than it has room for.
        else if (signal === 'SIGABRT') expect([how, calls[n]!.name], what).toEqual(['EIO', 'write']);
        else if (signal !== null) expect(signal, what).toBe(null);
        else if (code !== 0) expect(stderr, what).toMatch(/code: 'IO'/);
        await kills.expectWhole(steps, what);
      }
    }
  });
});
