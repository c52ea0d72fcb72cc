import { quantile } from 'nigh/evaluation';
import { type Answer, ask } from '../algorithms/algorithm.js';
import { type BenchDataset, queryVectors } from '../datasets/dataset.js';
import { shuffledOrder } from '../datasets/random.js';
import { recallByDistance } from '../measures.js';
import { say } from '../report/say.js';
import { groundTruth } from '../truth.js';
import type { Nearest } from './batches.js';
import type { Contender } from './contender.js';
import { timed } from './curves.js';

const seed = 20_240_506;
const asked = 200;
/** A filter that is a function of JavaScript, or a list that is sent along, can take a whole scan for one query: then fewer are asked. */
const mostSeconds = 2;
const fewestAsked = 20;

export interface FilteredPoint {
  readonly share: number;
  readonly recall: number;
  readonly short: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * Recall and time of searches among some of the rows, drawn by a seed, at the effort that finds .95 without a filter. Answers that are shorter
 * than they could be are counted: an engine that filters afterwards has them.
 */
export async function measureFiltered(
  contenders: readonly Contender[],
  dataset: BenchDataset,
  shares: readonly number[],
  nearest: ReadonlyMap<string, Nearest>,
  k: number,
): Promise<Map<string, FilteredPoint[]>> {
  const queries = { ...dataset.queries, rows: Math.min(asked, dataset.queries.rows) };
  const some = { ...dataset, queries: { ...queries, data: queries.data.slice(0, queries.rows * queries.dim) } };
  const vectors = queryVectors(some);
  const order = shuffledOrder(dataset.base.rows, seed);
  const found = new Map<string, FilteredPoint[]>(contenders.map(({ spec }) => [spec.key, []]));
  for (const share of shares) {
    const allowed = order.slice(0, Math.max(1, Math.round(share * order.length))).sort();
    const truth = await groundTruth(some, k, allowed);
    for (const { spec, opened } of contenders) {
      if (opened.setFilter === undefined) continue;
      opened.setEffort(nearest.get(spec.key)!.effort);
      opened.setFilter(allowed);
      const answers: Answer[] = [];
      const until = performance.now() + mostSeconds * 1000;
      for (const vector of vectors) {
        if (answers.length >= fewestAsked && performance.now() > until) break;
        answers.push(await ask(opened, vector, k));
      }
      const { micros } = await timed(opened, vectors.slice(0, answers.length), k);
      opened.setFilter(undefined);
      found.get(spec.key)!.push({
        share,
        recall: recallByDistance(answers, truth, some, k),
        short: answers.filter(({ length }) => length < Math.min(k, allowed.length)).length,
        p50: quantile(micros, 0.5),
        p99: quantile(micros, 0.99),
      });
    }
    say(`filter of ${share}: done`);
  }
  return found;
}
