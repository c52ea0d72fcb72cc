import { describe, expect, test } from 'vitest';
import { isSync } from '../../src/index/vector-index.js';
import { expectCode, expectSame, withIndex } from './expectations.js';
import { clustered, rowOf } from './matrices.js';
import type { Subject } from './subjects.js';

const matrix = clustered(1500, 24, 21);
const queries = clustered(600, 24, 22);

/** Many at once, aborted, closed while at work; and the event loop free all the while. */
export function concurrencyContract(subject: Subject): void {
  describe('concurrency', () => {
    test('many searches at once answer what one after another answers', async () => {
      await withIndex(subject.build(matrix, { metric: 'cosine' }), async (index) => {
        const asked = Array.from({ length: 120 }, (_, r) => rowOf(queries, r));
        const alone = [];
        for (const query of asked) alone.push(await index.search(query, 10));
        const together = await Promise.all([
          ...asked.map((query) => index.search(query, 10)),
          ...asked.map((query) => index.search(query, 3, { exact: true })),
        ]);
        alone.forEach((answer, r) => {
          expectSame(together[r]!, answer);
        });
      });
    });

    test('the event loop goes on turning while a batch is searched', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        let turns = 0;
        let working = true;
        const turn = () => {
          turns++;
          if (working) setImmediate(turn);
        };
        setImmediate(turn);
        // Work on this thread would let no turn through, however often it is done.
        for (let round = 0; round < 30 && turns <= 3; round++) await index.searchBatch(queries, 10, { efSearch: 200 });
        working = false;
        expect(turns).toBeGreaterThan(3);
      });
    });

    test('a signal that fired before refuses the work', async () => {
      const reason = new Error('no longer wanted');
      const signal = AbortSignal.abort(reason);
      await expectCode(subject.build(matrix, { metric: 'l2', signal }), 'ABORTED');
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        await expect(index.search(rowOf(queries, 0), 5, { signal })).rejects.toMatchObject({
          code: 'ABORTED',
          cause: reason,
        });
        await expect(index.searchBatch(queries, 5, { signal })).rejects.toMatchObject({
          code: 'ABORTED',
          cause: reason,
        });
        if (isSync(index)) expect(index.searchSync(rowOf(queries, 0), 5, { signal }).ids.length).toBe(5);
      });
    });

    test('a signal that fires under way stops the work; the index goes on', async () => {
      const reason = new Error('changed my mind');
      const building = new AbortController();
      const built = subject.build(clustered(6000, 48, 23), { metric: 'l2', signal: building.signal });
      building.abort(reason);
      await expect(built).rejects.toMatchObject({ code: 'ABORTED', cause: reason });

      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        for (const start of [
          (signal: AbortSignal) => index.searchBatch(queries, 5, { signal, efSearch: 400 }),
          (signal: AbortSignal) => index.search(rowOf(queries, 0), 5, { signal }),
        ]) {
          const controller = new AbortController();
          const pending = start(controller.signal);
          controller.abort(reason);
          await expect(pending).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
        }
        expect((await index.search(rowOf(matrix, 9), 1, { exact: true })).ids[0]).toBe(9);
      });
    });

    test('a signal that never fires leaves no listener behind', async () => {
      await withIndex(subject.build(matrix, { metric: 'l2' }), async (index) => {
        const { signal } = new AbortController();
        let listening = 0;
        const add = signal.addEventListener.bind(signal);
        const remove = signal.removeEventListener.bind(signal);
        signal.addEventListener = (...args: Parameters<typeof add>) => {
          listening++;
          add(...args);
        };
        signal.removeEventListener = (...args: Parameters<typeof remove>) => {
          listening--;
          remove(...args);
        };
        await index.search(rowOf(queries, 0), 5, { signal });
        await expectCode(index.search(new Float32Array(3), 5, { signal }), 'DIMENSION_MISMATCH');
        expect(listening).toBe(0);
      });
    });

    test('closing lets searches under way finish and refuses what comes after', async () => {
      const index = await subject.build(matrix, { metric: 'cosine' });
      const truth = await index.search(rowOf(queries, 1), 10);
      const under = Array.from({ length: 40 }, () => index.search(rowOf(queries, 1), 10));
      const batch = index.searchBatch(queries, 10);
      index.close();
      for (const answer of await Promise.all(under)) expectSame(answer, truth);
      expect((await batch).counts.every((count) => count === 10)).toBe(true);
      await expectCode(index.search(rowOf(queries, 1), 10), 'CLOSED');
      index.close();
    });
  });
}
