/** Generations that take each other's place while questions are asked of the service. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Retriever } from '../../src/retrieval/retriever.js';
import type { Answer } from '../../src/retrieval/types.js';
import { serve } from '../../src/service/index.js';
import { type Generations, generationItems, generations } from './generations.js';

const writeToken = 'may-write';
const askers = 4;

/** Makes an older generation the live one again. */
export async function pointTo(built: Generations, generation: string): Promise<void> {
  await writeFile(join(built.directory, 'CURRENT'), `${generation}\n`);
}

/** What became of questions while generations were swapped. Whatever was not answered as it should have been is thrown. */
export interface Swapped {
  readonly asked: number;
  /** The generations that answered, sorted. */
  readonly seen: readonly string[];
  /** The generations that were built, sorted. */
  readonly names: readonly string[];
}

export async function swapUnderLoad(swaps: number): Promise<Swapped> {
  await using built = await generations();
  const names = [await built.build(), await built.build((item) => (item + 3) % 8)];
  await using collection = await Retriever.open(built.directory);
  // Whether a starved machine refuses for being late is another test's question.
  const limits = { minOverlap: 0, maxDelayMs: 60_000, watchMs: 0, canaryMs: 0 };
  await using service = await serve({ collections: [collection], port: 0, writeToken, ...limits });
  const root = `${service.url}/v1/collections/words`;
  const seen = new Set<string>();
  let running = true;
  let asked = 0;
  const ask = async (asker: number) => {
    for (let n = 0; running; n++) {
      const item = `i${(asker * 31 + n * 7) % generationItems}`;
      const response =
        n % 2 === 0
          ? await fetch(`${root}/items/${item}/similar?k=5`)
          : await fetch(`${root}/query`, {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify({ history: [{ item }], k: 5, exact: n % 3 === 0 }),
            });
      const body = (await response.json()) as Answer;
      if (response.status !== 200 || body.results.length !== 5) throw new Error(JSON.stringify(body));
      seen.add(body.stats.generation);
      asked += 1;
    }
  };
  const load = Promise.all(Array.from({ length: askers }, (_, asker) => ask(asker)));
  // Told at once, not when the last swap is done.
  load.catch(() => {});
  try {
    for (let swap = 0; swap < swaps; swap++) {
      const target = names[swap % 2]!;
      await pointTo(built, target);
      const headers = { authorization: `Bearer ${writeToken}` };
      const response = await fetch(`${root}/reload`, { method: 'POST', headers });
      const body = (await response.json()) as { to?: string; swapped?: boolean };
      if (body.to !== target || body.swapped !== (swap > 0 || target !== names[1]))
        throw new Error(JSON.stringify(body));
    }
  } finally {
    running = false;
  }
  await load;
  return { asked, seen: [...seen].sort(), names: names.toSorted() };
}
