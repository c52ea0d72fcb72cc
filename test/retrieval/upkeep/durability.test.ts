/** What is promised of the moments in between, seen from the system's side (test/support/faults). */
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unsyncedAfter } from '../../support/faults/power-loss.js';
import { faultsMissing } from '../../support/faults/program.js';
import { Moments, operations, randomFault, randomLosses } from './moments.js';

describe.skipIf(faultsMissing !== undefined)('a change of a collection', () => {
  const moments = new Moments();
  beforeAll(() => moments.prepare());
  afterAll(() => moments.remove());

  it.each(['build', 'rollback', 'restore'] as const)(
    '%s: everything is flushed before CURRENT names it, and CURRENT before the command says so',
    async (operation) => {
      const calls = await moments.callsOf(operation);
      const swap = calls.findIndex(({ name, second }) => name === 'rename' && basename(second) === 'CURRENT');
      expect(swap).toBeGreaterThan(0);
      const before = unsyncedAfter(calls.slice(0, swap));
      const lost = (path: string) => path.startsWith(moments.world) && !basename(path).startsWith('LOCK');
      expect([...before.files].filter(lost)).toEqual([]);
      // The pointer's own name is the one thing that may be lost: CURRENT is then the old one.
      const made = calls.slice(0, swap).filter(({ name, path }) => name === 'create' && /CURRENT\./.test(path));
      expect(made).toHaveLength(1);
      const flushed = calls.slice(0, calls.indexOf(made[0]!));
      const generations = [...unsyncedAfter(flushed).directories].filter((path) =>
        path.startsWith(join(moments.world, 'gen-')),
      );
      expect(generations).toEqual([]);
      const moved = flushed.findIndex(({ name, second }) => name === 'rename' && /gen-\d+$/.test(second));
      if (operation !== 'rollback') {
        expect(moved).toBeGreaterThan(0);
        expect(flushed.slice(moved).some(({ name, path }) => name === 'fsync' && path === moments.world)).toBe(true);
      }
      const after = calls.slice(swap + 1).findIndex(({ name, path }) => name === 'fsync' && path === moments.world);
      expect(after).toBe(0);
      // Nothing is removed before the new state is safe.
      const removed = calls.slice(0, swap).filter(({ name, path }) => name === 'unlink' && /gen-|CURRENT$/.test(path));
      expect(removed).toEqual([]);
    },
  );

  it('a generation that is removed has lost its name on disk before it loses a file', async () => {
    const calls = await moments.callsOf('build');
    const moved = calls.findIndex(({ name, second }) => name === 'rename' && /^removing-/.test(basename(second)));
    expect(calls[moved]?.path).toBe(join(moments.world, 'gen-000001'));
    const after = calls.slice(moved + 1);
    const lost = after.findIndex(({ name, path }) => name === 'unlink' && path.includes('/removing-'));
    expect(lost).toBeGreaterThan(0);
    expect(after.slice(0, lost)).toContainEqual(expect.objectContaining({ name: 'fsync', path: moments.world }));
  });

  it('a backup is flushed before it takes its name, and its directory after', async () => {
    const calls = await moments.callsOf('backup');
    const swap = calls.findIndex(({ name, second }) => name === 'rename' && second === moments.backup);
    expect(unsyncedAfter(calls.slice(0, swap)).files.size).toBe(0);
    expect(calls[swap + 1]).toMatchObject({ name: 'fsync', path: dirname(moments.backup) });
  });

  it('that is killed at any moment leaves one state or the other, whole', { timeout: 240_000 }, async () => {
    for (const [o, operation] of operations.entries()) {
      const calls = await moments.callsOf(operation);
      for (let round = 0; round < 3; round++) {
        const fault = randomFault(calls, 100 * o + round, ['kill', 'torn']);
        const what = `${operation}, ${fault.how} at ${fault.at} of ${calls.length}`;
        const { signal } = await moments.run(operation, fault);
        expect(signal, what).toBe('SIGKILL');
        await moments.expectWhole(operation, what);
        if (round === 0) await moments.expectNextBuild(what);
      }
    }
  });

  it.each(operations)(
    '%s: power that is lost at any moment leaves one state or the other, whole',
    async (operation) => {
      await moments.losePower(operation, randomLosses(4, operations.indexOf(operation)), async (what, isOver) => {
        const state = await moments.expectWhole(operation, what);
        // Whoever was told that it is done finds it done.
        if (isOver) expect(state, what).toBe(operation === 'backup' ? 'new' : 'old');
      });
    },
  );

  it('whose calls fail, or that finds the disk full, says so and leaves one state or the other, whole', {
    timeout: 240_000,
  }, async () => {
    for (const [o, operation] of operations.entries()) {
      const calls = await moments.callsOf(operation);
      for (const [h, how] of (['EIO', 'ENOSPC'] as const).entries()) {
        const fault = randomFault(calls, 1000 + 10 * o + h, [how]);
        await expectFailed(moments, operation, fault, calls.length);
      }
    }
  });
});

async function expectFailed(
  moments: Moments,
  operation: (typeof operations)[number],
  fault: Parameters<Moments['run']>[1] & object,
  calls: number,
): Promise<void> {
  const what = `${operation}, ${fault.how} at ${fault.at} of ${calls}`;
  const { signal, code, stderr } = await moments.run(operation, fault);
  expect(signal, what).toBe(null);
  // Once all is done, what cannot be tidied up is no failure.
  if (code !== 0) expect(stderr, what).toMatch(/\[(IO|NOT_FOUND)\]$/m);
  await moments.expectWhole(operation, what);
}
