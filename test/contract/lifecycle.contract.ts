import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import { isSync, type MutableVectorIndex, type VectorIndex } from '../../src/index/vector-index.js';
import { vectorOf } from './expectations.js';
import { clustered, rowOf } from './matrices.js';
import { type Subject, temporaryDirectory } from './subjects.js';

const matrix = clustered(200, 12, 24);
const queries = clustered(200, 12, 25);
const query = rowOf(queries, 0);

type Call = (index: VectorIndex) => unknown;

/** A call of the methods that only engines that can change have. */
function changing(call: (index: MutableVectorIndex) => unknown): { call: Call; whenClosed: 'CLOSED' } {
  return { call: (index) => call(index as MutableVectorIndex), whenClosed: 'CLOSED' };
}

/** Every method, in every state of an index: what is allowed, and what is refused with CLOSED. */
export function lifecycleContract(subject: Subject): void {
  describe('lifecycle', () => {
    const directory = temporaryDirectory();
    let files = 0;

    const changeable = subject.changes === 'allowed';
    const reads: Record<string, { call: Call; whenClosed: 'allowed' | 'CLOSED' }> = {
      search: { call: (index) => index.search(query, 3), whenClosed: 'CLOSED' },
      searchBatch: { call: (index) => index.searchBatch(queries, 3), whenClosed: 'CLOSED' },
      searchSync: {
        call: (index) => (isSync(index) ? index.searchSync(query, 3) : index.search(query, 3)),
        whenClosed: 'CLOSED',
      },
      vector: { call: (index) => vectorOf(index, 3), whenClosed: 'CLOSED' },
      save: { call: (index) => index.save(join(directory, `${files++}.ann`)), whenClosed: 'CLOSED' },
      size: { call: (index) => index.size, whenClosed: 'CLOSED' },
      memoryBytes: { call: (index) => index.memoryBytes, whenClosed: 'CLOSED' },
      kind: { call: (index) => index.kind, whenClosed: 'allowed' },
      metric: { call: (index) => index.metric, whenClosed: 'allowed' },
      dim: { call: (index) => index.dim, whenClosed: 'allowed' },
      capabilities: { call: (index) => index.capabilities, whenClosed: 'allowed' },
      close: { call: (index) => index.close(), whenClosed: 'allowed' },
    };
    const changes: typeof reads = {
      add: changing((index) => index.add(clustered(3, 12, files), nextIds())),
      replace: changing((index) => index.replace(clustered(1, 12, files), [7])),
      remove: changing((index) => index.remove([nextRemoved++])),
      compact: changing((index) => index.compact()),
      verify: changing((index) => index.verify()),
    };
    const calls = changeable ? { ...reads, ...changes } : reads;
    let nextId = 100_000;
    let nextRemoved = 100;
    const nextIds = () => Uint32Array.of(nextId++, nextId++, nextId++);

    const readingStates: Record<string, (index: VectorIndex) => Promise<unknown>> = {
      idle: async () => {},
      'searching one': (index) => index.search(query, 5),
      'searching many': (index) => index.searchBatch(queries, 5, { efSearch: 200 }),
      saving: (index) => index.save(join(directory, `${files++}.ann`)),
    };
    const changingStates: typeof readingStates = {
      removing: (index) => (index as MutableVectorIndex).remove(Uint32Array.from({ length: 50 }, (_, r) => r + 10)),
      adding: (index) =>
        (index as MutableVectorIndex).add(
          clustered(200, 12, 26),
          Uint32Array.from({ length: 200 }, (_, r) => 1000 + r),
        ),
    };
    const states = changeable ? { ...readingStates, ...changingStates } : readingStates;

    describe.each(Object.keys(states))('while %s', (state) => {
      test.each(Object.keys(calls))('%s is allowed', async (name) => {
        const index = await subject.build(matrix, { metric: 'l2' });
        const busy = states[state]!(index);
        await calls[name]!.call(index);
        await busy;
        index.close();
      });
    });

    test.each(Object.entries(calls))('once closed, %s', async (_, { call, whenClosed }) => {
      const index = await subject.build(matrix, { metric: 'l2' });
      index.close();
      const outcome = await (async () => call(index))().then(
        () => 'allowed',
        (error: unknown) => (error instanceof NighError ? error.code : String(error)),
      );
      expect(outcome).toBe(whenClosed);
    });

    test('`using` closes it', async () => {
      let kept: VectorIndex;
      {
        using index = (await subject.build(matrix, { metric: 'l2' })) as VectorIndex & Disposable;
        kept = index;
        expect(index.size).toBe(200);
      }
      expect(() => kept.size).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    });
  });
}
