/** Kills by the hundred, one a test, so that their number is that of the tests; npm test tries some of them in durability.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seeded } from '../../embeddings/support.js';
import { faultsMissing } from '../../support/faults/program.js';
import { Moments, type Operation, operations, randomFault, randomLosses } from './moments.js';

const kills: Record<Operation, number> = { build: 130, rollback: 50, backup: 60, restore: 80 };

describe.skipIf(faultsMissing !== undefined)('killed at a random moment', () => {
  const moments = new Moments();
  beforeAll(() => moments.prepare());
  afterAll(() => moments.remove());

  for (const [operation, count] of Object.entries(kills) as [Operation, number][]) {
    const rounds = Array.from({ length: count }, (_, round) => round);
    test.each(rounds)(`${operation} leaves one state or the other, whole (%i)`, async (round) => {
      const calls = await moments.callsOf(operation);
      // Most die at a call, where something is half done; some at a moment of the clock.
      const atCall = round % 5 !== 4;
      const fault = atCall ? randomFault(calls, 7_000 + round, ['kill', 'torn']) : undefined;
      const random = seeded(9_000 + round);
      const { signal, calls: made } = await moments.run(
        operation,
        fault,
        atCall ? undefined : 150 + Math.floor(random() * 900),
      );
      // How many calls there are is not always the same: one that is short of the chosen one has ended by itself.
      if (fault !== undefined && made.length >= fault.at) expect(signal).toBe('SIGKILL');
      const what = `${operation}, ${fault === undefined ? 'by the clock' : `${fault.how} at ${fault.at} of ${calls.length}`}`;
      await moments.expectWhole(operation, what);
      if (round % 4 === 0) await moments.expectNextBuild(what);
    });
  }
});

describe.skipIf(faultsMissing !== undefined)('power lost at a random moment', () => {
  const moments = new Moments();
  beforeAll(() => moments.prepare());
  afterAll(() => moments.remove());

  test.each(operations)('of %s leaves one state or the other, whole', async (operation) => {
    await moments.losePower(operation, randomLosses(60, 500 + operations.indexOf(operation)), async (what, isOver) => {
      const state = await moments.expectWhole(operation, what);
      if (isOver) expect(state, what).toBe(operation === 'backup' ? 'new' : 'old');
    });
  });
});

describe.skipIf(faultsMissing !== undefined)('every call that fails', () => {
  const moments = new Moments();
  beforeAll(() => moments.prepare());
  afterAll(() => moments.remove());

  test.each(['build', 'rollback', 'backup', 'restore'] as const)(
    'of %s, and a disk that is full from there on, is an error of ours and leaves one state or the other, whole',
    async (operation) => {
      const calls = await moments.callsOf(operation);
      for (let at = 1; at <= calls.length; at++) {
        for (const how of ['EIO', 'ENOSPC'] as const) {
          const what = `${operation}, ${how} at ${at} of ${calls.length}: ${JSON.stringify(calls[at - 1])}`;
          const { signal, code, stderr } = await moments.run(operation, { at, how });
          expect(signal, what).toBe(null);
          if (code !== 0) expect(stderr, what).toMatch(/\[(IO|NOT_FOUND)\]$/m);
          await moments.expectWhole(operation, what);
        }
      }
    },
  );
});
