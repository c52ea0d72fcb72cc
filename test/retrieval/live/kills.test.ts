/** What an answer promises, at the moments when a process ends or a disk fails; hundreds of them in kills.long.test.ts. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../embeddings/support.js';
import { unsyncedAfter } from '../../support/faults/power-loss.js';
import { faultsMissing } from '../../support/faults/program.js';
import { KillRounds } from './kill-rounds.js';

describe.skipIf(faultsMissing !== undefined)('a process that makes changes', () => {
  const rounds = new KillRounds();
  beforeAll(() => rounds.prepare());
  afterAll(() => rounds.remove());

  test('answers each after it was flushed, so that a loss of power takes none that was answered', async () => {
    const steps = rounds.steps(12, 1);
    const { code, stderr, calls } = await rounds.run(steps, { steps: 12, width: 1, compactEvery: 6 });
    expect(code, stderr).toBe(0);
    const answers = calls.flatMap(({ name, path }, at) => (name === 'write' && path === rounds.answers ? [at] : []));
    expect(answers.length).toBeGreaterThanOrEqual(steps.length);
    let before = 0;
    for (const at of answers) {
      const { files, directories } = unsyncedAfter(calls.slice(0, at));
      const lost = (path: string) =>
        path.startsWith(rounds.collection) && !/\/(?:LOCK|lock\.mdb|building-)/.test(path) && !/CURRENT\./.test(path);
      expect([...files].filter(lost)).toEqual([]);
      // A compaction that is under way has names of its own in the collection that are not flushed yet.
      const named = [...directories].filter((path) => basename(path) === 'journal' || before === 0);
      expect(named.filter((path) => path.startsWith(rounds.collection))).toEqual([]);
      // Pages first, flushed; then the one that names them, flushed as it is written.
      const own = calls.slice(before, at).filter(({ path }) => basename(path) === 'data.mdb');
      if (own.length > 0)
        expect(own.map(({ name }) => name).join(' ')).toMatch(/write fsync (?:fsync )*flushed-write$/);
      before = at;
    }
    expect(await rounds.expectWhole(steps, 'nothing happened')).toBe(steps.length);
  });

  test('and loses power at any moment has every change that was answered on disk, and no part of another', async () => {
    const steps = rounds.steps(16, 8);
    const outcome = await rounds.run(steps, { steps: 16, width: 2, compactEvery: 4, keepBytes: true });
    expect(outcome.code, outcome.stderr).toBe(0);
    const random = seeded(9);
    const moments = Array.from({ length: 8 }, () => Math.floor(random() * outcome.calls.length)).sort((a, b) => a - b);
    for (const [n, at] of moments.entries()) {
      await rounds.losePower(outcome, at, n === 0 ? 'nothing' : random);
      await rounds.expectWhole(steps, `after ${at} of ${outcome.calls.length}`);
    }
    await rounds.losePower(outcome, outcome.calls.length, 'nothing');
    expect(await rounds.expectWhole(steps, 'at the end')).toBe(steps.length);
  });

  test('and is killed at any moment of a change leaves every change that was answered, and no part of another', async () => {
    const steps = rounds.steps(24, 2);
    const { calls } = await rounds.run(steps, { steps: 24, width: 4, compactEvery: 0 });
    const random = seeded(3);
    for (let round = 0; round < 3; round++) {
      const fault = {
        at: 1 + Math.floor(random() * calls.length),
        how: round % 2 === 0 ? ('kill' as const) : ('torn' as const),
      };
      const { signal } = await rounds.run(steps, { steps: 24, width: 4, compactEvery: 0, fault });
      const what = `${fault.how} at ${fault.at} of ${calls.length}`;
      expect(signal, what).toBe('SIGKILL');
      await rounds.expectWhole(steps, what);
    }
    // What was left goes on where it was.
    const { code, stderr } = await rounds.run(steps, { steps: 24, width: 4, compactEvery: 0 }, false);
    expect(code, stderr).toBe(0);
    expect(await rounds.expectWhole(steps, 'it went on')).toBe(steps.length);
  });

  test('and is killed at any moment of a compaction leaves every change that was answered', async () => {
    const steps = rounds.steps(24, 4);
    const { calls } = await rounds.run(steps, { steps: 24, width: 4, compactEvery: 3 });
    const begin = calls.findIndex(({ path }) => path.includes('building-'));
    const random = seeded(5);
    for (let round = 0; round < 2; round++) {
      const at = begin + Math.floor(random() * (calls.length - begin));
      const { signal } = await rounds.run(steps, {
        ...{ steps: 24, width: 4, compactEvery: 3 },
        fault: { at, how: round % 2 === 0 ? 'kill' : 'torn' },
      });
      const what = `at ${at} of ${calls.length}`;
      if (signal !== null) expect(signal, what).toBe('SIGKILL');
      await rounds.expectWhole(steps, what);
    }
  });

  test('and sends a change again after the disk failed makes it once, whether the disk has it or not', async () => {
    const steps = rounds.steps(10, 7);
    const round = { steps: 10, width: 1, compactEvery: 0, tries: 3, collectionOnly: true };
    const { calls } = await rounds.run(steps, round);
    const commits = calls.flatMap(({ name, path }, n) =>
      path === join(rounds.collection, 'journal/data.mdb') && name === 'flushed-write' ? [n] : [],
    );
    expect(commits.length).toBeGreaterThanOrEqual(10);
    const [third, ninth] = [commits.at(-8)!, commits.at(-2)!];
    for (const [how, n] of [
      ['EIO', calls.findLastIndex(({ name }, at) => at < third && name === 'fsync')],
      ['EIO', third],
      ['late', third],
      ['late', ninth],
    ] as const) {
      const { code, stderr } = await rounds.run(steps, { ...round, fault: { at: n + 1, how } });
      const what = `${how} at ${n + 1}: ${JSON.stringify(calls[n])}`;
      expect(code, `${what}\n${stderr}`).toBe(0);
      expect((await readFile(rounds.answers, 'utf8')).match(/failed/g), what).toHaveLength(1);
      expect(await rounds.expectWhole(steps, what)).toBe(steps.length);
    }
  });

  test('and whose disk fails or is full answers with an error, and has lost nothing that it answered before', async () => {
    const steps = rounds.steps(18, 6);
    const round = { steps: 18, width: 3, compactEvery: 0, collectionOnly: true };
    const { calls } = await rounds.run(steps, round);
    // Of a write of a page that fails lmdb says more than it has room for, which may end the process: that it is not for want of room is seen to.
    const flushes = calls.flatMap(({ name, path }, at) =>
      name === 'fsync' && basename(path) === 'data.mdb' ? [at + 1] : [],
    );
    const room = calls.findIndex(
      ({ name, path, second }) => name === 'write' && basename(path) === 'data.mdb' && Number(second) > 65_536,
    );
    for (const [how, at] of [
      ['EIO', flushes[Math.floor(flushes.length / 2)]!],
      ['ENOSPC', room + 1],
    ] as const) {
      const { signal, code, stderr } = await rounds.run(steps, { ...round, fault: { at, how } });
      const what = `${how} at ${at} of ${calls.length}`;
      expect([signal, code], `${what}\n${stderr}`).toEqual([null, 1]);
      expect(stderr, what).toMatch(/code: 'IO'/);
      await rounds.expectWhole(steps, what);
    }
  });
});
