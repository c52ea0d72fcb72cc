import type { BenchDataset } from '../datasets/dataset.js';
import { rowOf } from '../datasets/dataset.js';
import { recallByDistance, type Truth } from '../measures.js';
import { say } from '../report/say.js';
import type { Contender } from './contender.js';

const efforts = [1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768];
export const wantedRecalls = [0.9, 0.95, 0.99] as const;

/** A curve ends at the first effort with this recall: nothing further is asked for. */
const enough = 0.993;

/**
 * Fills the contenders' curves: first the recall of every effort, which is also the warm-up; then rounds, in each of which every engine in
 * turn answers all queries at every effort, so that the machine's drift falls on all alike.
 */
export function measureCurves(
  contenders: readonly Contender[],
  dataset: BenchDataset,
  truth: Truth,
  k: number,
  repeats: number,
): void {
  const vectors = queryVectors(dataset);
  for (const { algorithm, opened, curve, asked } of contenders) {
    for (const effort of efforts) {
      if (effort < algorithm.leastEffort(k)) continue;
      opened.setEffort(effort);
      const recall = recallByDistance(
        vectors.map((vector) => opened.query(vector, k)),
        truth,
        dataset,
        k,
      );
      curve.push({ effort, recall, seconds: [] });
      if (recall >= enough) break;
    }
    const { queryForRecall } = opened;
    if (queryForRecall !== undefined) {
      for (const effort of wantedRecalls) {
        const answers = vectors.map((vector) => queryForRecall(vector, k, effort));
        asked.push({ effort, recall: recallByDistance(answers, truth, dataset, k), seconds: [] });
      }
    }
    const last = curve.at(-1)!;
    say(
      `${algorithm.name}: recall ${curve[0]!.recall.toFixed(3)} at ${curve[0]!.effort} to ${last.recall.toFixed(3)} at ${last.effort}`,
    );
  }
  for (let round = 0; round < repeats; round++) {
    for (let step = 0; step < efforts.length; step++) {
      for (const { opened, curve } of contenders) {
        const point = curve[step];
        if (point === undefined) continue;
        opened.setEffort(point.effort);
        const began = performance.now();
        for (const vector of vectors) opened.query(vector, k);
        point.seconds.push((performance.now() - began) / 1000);
      }
    }
    for (const { opened, asked } of contenders) {
      for (const point of asked) {
        const began = performance.now();
        for (const vector of vectors) opened.queryForRecall!(vector, k, point.effort);
        point.seconds.push((performance.now() - began) / 1000);
      }
    }
    say(`round ${round + 1} of ${repeats} done`);
  }
}

/** Every query as an array of its own, as a user would hold it. */
export function queryVectors({ queries }: BenchDataset): Float32Array[] {
  return Array.from({ length: queries.rows }, (_, q) => rowOf(queries, q).slice());
}
