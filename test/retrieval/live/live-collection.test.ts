import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { LiveModel } from '../support/live-model.js';
import { applyToModel, applyToRetriever, drawStep, expectSame } from '../support/live-steps.js';
import { type RandomWorld, randomWorld } from '../support/random-world.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'nigh-live-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** What happens between the changes, apart from questions. */
const between = ['nothing', 'nothing', 'compare', 'reopen', 'compact', 'reader'] as const;

describe.each(['flat', 'hnsw'] as const)('a collection of %s indexes with changes', (engine) => {
  let world: RandomWorld;
  beforeAll(async () => {
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(scratch, engine));
    world = await randomWorld(join(scratch, engine), 7, engine);
  });

  test('answers as a plain model does, through changes, closing, compaction and readers of other generations', async () => {
    let runs = 0;
    const event = fc.record({ seed: fc.integer({ min: 1, max: 1e6 }), next: fc.constantFrom(...between) });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 25 }), async (events) => {
        const directory = join(scratch, engine, `run-${runs++}`);
        await cp(world.directory, directory, { recursive: true });
        const model = new LiveModel(world);
        let retriever = await Retriever.open(directory, { write: true, compactAfter: 0 });
        const reader = await Retriever.open(directory);
        try {
          for (const [n, { seed, next }] of events.entries()) {
            const step = drawStep(model, seed);
            const { sequence, existed = true } = await applyToRetriever(retriever, step);
            expect(sequence).toBe(n + 1);
            expect(existed).toBe(applyToModel(model, step));
            if (next === 'compare') await expectSame(retriever, model, seed % 2 === 0);
            if (next === 'compact') {
              await retriever.compact({ threads: 1 });
              await expectSame(retriever, model, true);
            }
            if (next === 'reopen') {
              await retriever.close();
              retriever = await Retriever.open(directory, { write: true, compactAfter: 0 });
            }
            if (next === 'reader') {
              expect(await reader.catchUp()).toBe(sequence);
              await expectSame(reader, model, true);
            }
          }
          await expectSame(retriever, model, true);
          await reader.catchUp();
          await expectSame(reader, model, true);
        } finally {
          await retriever.close();
          await reader.close();
          await rm(directory, { recursive: true, force: true });
        }
      }),
      { numRuns: 12, seed: 11 },
    );
  });
});
