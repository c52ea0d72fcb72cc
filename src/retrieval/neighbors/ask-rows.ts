/** Rows that no batch answers: each is asked as a single question, so that it gets the very answer that `similarItems` or `recommend` gives. */
import { NighError } from '../../core/errors.js';
import { ask } from '../ask.js';
import type { NeighborArrays } from './block.js';
import { inLanes } from './lanes.js';
import type { NeighborsPlan } from './plan.js';

const questionsAtOnce = 32;

/** Rows for which nothing has a vector, and which may not fall back, stay empty. @throws NighError what a single question throws, but NO_VECTOR */
export function askRows(
  plan: NeighborsPlan,
  arrays: NeighborArrays,
  rows: readonly number[],
  nameSpace: (name: string) => number,
  signal: AbortSignal,
): Promise<void> {
  const { collection, stages, of, query } = plan;
  const { catalogue, users } = collection;
  return inLanes(rows, questionsAtOnce, signal, async (r) => {
    const number = arrays.rows[r]!;
    const asked = of === 'items' ? { item: catalogue.id(number) } : { user: users.at(number) };
    try {
      const { results, stats } = await ask(collection, stages, asked, { ...query, signal });
      results.forEach(({ id, score }, at) => {
        arrays.neighbors[r * arrays.k + at] = catalogue.require(id);
        arrays.scores[r * arrays.k + at] = score;
      });
      arrays.counts[r] = results.length;
      arrays.spaces[r] = nameSpace(stats.space);
    } catch (error) {
      if (!(error instanceof NighError) || error.code !== 'NO_VECTOR') throw error;
    }
  });
}
