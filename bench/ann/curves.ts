import { type Answer, ask, type Opened } from '../algorithms/algorithm.js';
import { type BenchDataset, queryVectors } from '../datasets/dataset.js';
import { recallByDistance, type Truth } from '../measures.js';
import { say } from '../report/say.js';
import type { Contender } from './contender.js';

export const wantedRecalls = [0.9, 0.95, 0.99] as const;

/** A curve ends at the first effort with this recall: nothing further is asked for. */
const enough = 0.995;
/** Answers of 100 are asked from so many queries. */
const queriesOf100 = 500;
const countedQueries = 200;
const fewestQueries = 50;

export interface Rounds {
  readonly k: number;
  readonly repeats: number;
  readonly secondsPerPoint: number;
}

/**
 * Fills the contenders' curves, which have been warmed up, with rounds, in each of which every engine in turn answers the queries at every
 * effort, so that the machine's drift falls on all alike. The order of the engines turns by one a round, so that none always comes after the same.
 */
export async function measureCurves(
  contenders: readonly Contender[],
  dataset: BenchDataset,
  { k, repeats }: Rounds,
): Promise<void> {
  const vectors = queryVectors(dataset);
  const steps = Math.max(...contenders.map(({ curve }) => curve.length));
  for (let round = 0; round < repeats; round++) {
    const turned = contenders.map((_, at) => contenders[(at + round) % contenders.length]!);
    for (let step = 0; step < steps; step++) {
      for (const { opened, curve } of turned) {
        const point = curve[step];
        if (point === undefined) continue;
        opened.setEffort(point.effort);
        const { seconds, micros } = await timed(opened, vectors.slice(0, point.queries), k);
        point.rounds.push(point.queries / seconds);
        for (const each of micros) point.micros.push(each);
      }
    }
    for (const { opened, asked } of turned) {
      for (const point of asked) {
        const began = performance.now();
        for (const vector of vectors) opened.queryForRecall!(vector, k, point.wanted);
        point.rounds.push(vectors.length / ((performance.now() - began) / 1000));
      }
    }
    say(`round ${round + 1} of ${repeats} done`);
  }
}

/** Begins a contender's curve with the recall of every effort, which is also its warm-up. */
export async function warmUp(
  { algorithm, opened, efforts, curve, asked }: Contender,
  dataset: BenchDataset,
  truth: Truth,
  { k, secondsPerPoint }: Rounds,
): Promise<void> {
  const vectors = queryVectors(dataset);
  const wide = Math.min(100, truth.width);
  for (const effort of algorithm.effort === undefined ? [1] : efforts) {
    if (effort < algorithm.leastEffort(k)) continue;
    opened.setEffort(effort);
    const began = performance.now();
    const answers = await answersOf(opened, vectors, k);
    const secondsAQuery = (performance.now() - began) / 1000 / vectors.length;
    const recall = recallByDistance(answers, truth, dataset, k);
    const hundreds =
      wide === 100 && effort >= algorithm.leastEffort(wide)
        ? await answersOf(opened, vectors.slice(0, queriesOf100), wide)
        : undefined;
    curve.push({
      effort,
      recall1: recallByDistance(answers, truth, dataset, 1),
      recall,
      recall100: hundreds === undefined ? null : recallByDistance(hundreds, truth, dataset, wide),
      ...countsOf(opened, vectors.slice(0, countedQueries), k),
      queries: Math.min(vectors.length, Math.max(fewestQueries, Math.ceil(secondsPerPoint / secondsAQuery))),
      rounds: [],
      micros: [],
    });
    if (recall >= enough) break;
  }
  const [first, last] = [curve[0]!, curve.at(-1)!];
  say(
    `${algorithm.name}: recall ${first.recall.toFixed(3)} at ${first.effort} to ${last.recall.toFixed(3)} at ${last.effort}`,
  );
  const { queryForRecall } = opened;
  if (queryForRecall === undefined) return;
  for (const wanted of wantedRecalls) {
    const answers = vectors.map((vector) => queryForRecall(vector, k, wanted));
    asked.push({ wanted, recall: recallByDistance(answers, truth, dataset, k), rounds: [] });
  }
}

async function answersOf(opened: Opened, vectors: readonly Float32Array[], k: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const vector of vectors) answers.push(await ask(opened, vector, k));
  return answers;
}

function countsOf(opened: Opened, vectors: readonly Float32Array[], k: number) {
  if (opened.counts === undefined) return { visited: null, distances: null };
  const counts = vectors.map((vector) => opened.counts!(vector, k));
  const mean = (of: 'visited' | 'distances') => counts.reduce((sum, each) => sum + each[of], 0) / counts.length;
  return { visited: mean('visited'), distances: mean('distances') };
}

/** One query after another, each by itself. */
export async function timed(
  { query, queryAsync }: Pick<Opened, 'query' | 'queryAsync'>,
  vectors: readonly Float32Array[],
  k: number,
): Promise<{ readonly seconds: number; readonly micros: Float64Array }> {
  const micros = new Float64Array(vectors.length);
  const began = performance.now();
  let from = began;
  // Two loops: `await` costs a synchronous engine a turn of the event loop a query.
  if (query !== undefined) {
    for (let q = 0; q < vectors.length; q++) {
      query(vectors[q]!, k);
      const now = performance.now();
      micros[q] = (now - from) * 1000;
      from = now;
    }
  } else {
    for (let q = 0; q < vectors.length; q++) {
      await queryAsync!(vectors[q]!, k);
      const now = performance.now();
      micros[q] = (now - from) * 1000;
      from = now;
    }
  }
  return { seconds: (from - began) / 1000, micros };
}
