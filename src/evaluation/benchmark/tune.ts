/**
 * Index parameters for somebody's own vectors: which build answers fastest at a wanted recall. Every candidate is built, its least sufficient
 * effort is found on one half of the questions and its recall measured on the other, so that luck in the choice is not part of the figure.
 * Times are those of a challenger and the best one so far in turns, which the machine's drift does not favour.
 *
 *  1. exact search is the first to beat
 *  2. quantisations at the default degree
 *  3. degrees, with the best of those
 *  4. efConstruction, with the best of those
 */
import { breathe } from '../../core/abort.js';
import { invalidArgument } from '../../core/errors.js';
import type { Matrix } from '../../core/matrix.js';
import { defaultQuantization, type QuantizationName, quantizationNames } from '../../index/build-options.js';
import { FlatIndex } from '../../index/flat-index.js';
import { HnswIndex } from '../../index/hnsw-index.js';
import { isProductMetric, type MetricName } from '../../index/vector-index.js';
import { distancesOf, rowRecall } from '../../retrieval/measure-recall.js';
import { median } from './speed.js';

/** What is searched for. */
export interface TuneTask {
  readonly vectors: Matrix;
  readonly metric: MetricName;
  /** Questions of the kind that will be asked; row r may be a stored vector, of id self[r], which is no neighbour of itself. */
  readonly questions: Matrix;
  readonly self?: Uint32Array | undefined;
  /** Above 0 and below 1. */
  readonly recall: number;
  readonly k: number;
}

export interface TuneContext {
  /** Of builds, 0 = all. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Called before each candidate. */
  readonly onProgress?: (candidate: string, done: number, total: number) => void;
}

export interface IndexTrial {
  readonly kind: 'flat' | 'hnsw';
  readonly M?: number;
  readonly efConstruction?: number;
  readonly quantization?: QuantizationName;
  /** The least that reaches the recall; absent of exact search, and where none up to 2,048 does. */
  readonly efSearch?: number;
  /** On questions that the effort was not chosen by. */
  readonly recall: number;
  /** Of a question, one at a time on one thread; median. */
  readonly micros: number;
  /** This candidate's time over that of the best before it, in turns; 1 of the first. */
  readonly ratio: number;
  readonly buildSeconds: number;
  readonly bytesPerVector: number;
}

export interface IndexTuning {
  /** Fastest first; those that do not reach the recall after all others. */
  readonly trials: readonly IndexTrial[];
  /** `index` of a recipe's space that makes the best of them. */
  readonly recipe: Readonly<Record<string, unknown>>;
}

interface Candidate {
  readonly M: number;
  readonly efConstruction: number;
  readonly quantization: QuantizationName;
}

interface Contender {
  readonly trial: IndexTrial;
  readonly index: FlatIndex | HnswIndex;
}

const defaults = { M: 32, efConstruction: 200 } as const;
const degrees = [8, 16, 24, 48];
const constructions = [100, 400];
const efforts = [10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 768, 1024, 1536, 2048];
/** A challenger must be this much faster: less is the machine's noise, and the default is the better choice then. */
const worthwhile = 0.97;
const rounds = 5;

/**
 * Searches build parameters for vectors.
 * @throws NighError INVALID_ARGUMENT, DIMENSION_MISMATCH, ABORTED and what builds throw
 */
export async function tuneIndex(task: TuneTask, context: TuneContext = {}): Promise<IndexTuning> {
  const { questions, metric, recall } = task;
  if (!isProductMetric(metric)) throw invalidArgument('metric', 'l2, ip or cosine', metric);
  if (questions.rows < 2) throw invalidArgument('questions', 'at least two rows', questions.rows);
  if (!(recall > 0 && recall < 1)) throw invalidArgument('recall', 'a number above 0 and below 1', recall);
  const quantizations = quantizationNames.filter((name) => name !== defaultQuantization(metric));
  const total = 2 + quantizations.length + degrees.length + constructions.length;
  let done = 0;
  const begin = (candidate: string) => context.onProgress?.(candidate, done++, total);
  const trials: IndexTrial[] = [];
  begin('exact search');
  const exact = await exactContender(task, context);
  let best = exact.contender;
  trials.push(best.trial);
  let bestGraph: Candidate | undefined;
  const tryOut = async (candidate: Candidate) => {
    begin(`M ${candidate.M}, efConstruction ${candidate.efConstruction}, ${candidate.quantization}`);
    const challenger = await graphContender(candidate, task, exact.truth, context);
    const measured = { ...challenger.trial, ...versus(challenger, best, task) };
    trials.push(measured);
    // The first graph is the one that others are variations of, whether or not it beats a scan.
    const sufficient = measured.efSearch !== undefined;
    if (bestGraph === undefined || (sufficient && measured.ratio < worthwhile)) bestGraph = candidate;
    if (sufficient && measured.ratio < worthwhile) {
      best.index.close();
      best = { trial: measured, index: challenger.index };
    } else {
      challenger.index.close();
    }
  };
  try {
    await tryOut({ ...defaults, quantization: defaultQuantization(metric) });
    for (const quantization of quantizations) await tryOut({ ...defaults, quantization });
    for (const M of degrees) await tryOut({ ...bestGraph!, M });
    for (const efConstruction of constructions) await tryOut({ ...bestGraph!, efConstruction });
  } finally {
    best.index.close();
  }
  const winner = best.trial;
  const others = trials.filter((trial) => trial !== winner);
  const enough = ({ kind, efSearch }: IndexTrial) => (kind === 'flat' || efSearch !== undefined ? 0 : 1);
  others.sort((a, b) => enough(a) - enough(b) || a.micros - b.micros);
  return { trials: [winner, ...others], recipe: recipeOf(winner, metric) };
}

/** Only what is not the default. */
function recipeOf({ kind, M, efConstruction, quantization, efSearch }: IndexTrial, metric: MetricName) {
  if (kind === 'flat') return { kind };
  return {
    kind,
    ...(M === defaults.M ? {} : { M }),
    ...(efConstruction === defaults.efConstruction ? {} : { efConstruction }),
    ...(quantization === defaultQuantization(metric) ? {} : { quantization }),
    efSearch,
  };
}

type Truth = readonly (readonly number[])[];

async function exactContender(task: TuneTask, { signal }: TuneContext) {
  const { vectors, metric, questions } = task;
  const began = performance.now();
  const index = await FlatIndex.build(vectors, { metric, signal });
  const buildSeconds = (performance.now() - began) / 1000;
  const found = await index.searchBatch(questions, widthOf(task), { signal });
  const truth = Array.from({ length: questions.rows }, (_, r) => distancesOf(found, r, widthOf(task), task.self?.[r]));
  const trial = {
    kind: 'flat' as const,
    recall: 1,
    ratio: 1,
    buildSeconds,
    bytesPerVector: index.memoryBytes / vectors.rows,
  };
  const micros = median(Array.from({ length: rounds }, () => microsOf(index, task, undefined)));
  return { truth, contender: { trial: { ...trial, micros }, index } satisfies Contender as Contender };
}

async function graphContender(
  candidate: Candidate,
  task: TuneTask,
  truth: Truth,
  { threads = 0, signal }: TuneContext,
): Promise<Contender> {
  const { vectors, metric, questions, recall: wanted } = task;
  await breathe(signal);
  const began = performance.now();
  const index = await HnswIndex.build(vectors, { ...candidate, metric, threads, signal });
  const buildSeconds = (performance.now() - began) / 1000;
  try {
    const odd = (r: number) => r % 2 === 1;
    const even = (r: number) => r % 2 === 0;
    let efSearch: number | undefined;
    let recall = 0;
    for (const effort of efforts) {
      if (effort < widthOf(task)) continue;
      const found = await index.searchBatch(questions, widthOf(task), { efSearch: effort, signal });
      const of = (chosen: (r: number) => boolean) => {
        const shares: number[] = [];
        for (let r = 0; r < questions.rows; r++) {
          if (chosen(r))
            shares.push(rowRecall(truth[r]!, distancesOf(found, r, widthOf(task), task.self?.[r]), task.k));
        }
        return shares.reduce((sum, share) => sum + share, 0) / shares.length;
      };
      recall = of(odd);
      if (of(even) < wanted) continue;
      efSearch = effort;
      break;
    }
    const bytesPerVector = index.memoryBytes / vectors.rows;
    const effort = efSearch === undefined ? {} : { efSearch };
    return {
      trial: { kind: 'hnsw', ...candidate, ...effort, recall, micros: 0, ratio: 1, buildSeconds, bytesPerVector },
      index,
    };
  } catch (error) {
    index.close();
    throw error;
  }
}

/** In turns; the median of the ratios, and of the challenger's times. */
function versus(challenger: Contender, best: Contender, task: TuneTask): { micros: number; ratio: number } {
  const ratios: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const theirs = microsOf(best.index, task, best.trial.efSearch);
    const own = microsOf(challenger.index, task, challenger.trial.efSearch ?? efforts.at(-1));
    times.push(own);
    ratios.push(own / theirs);
  }
  return { micros: median(times), ratio: median(ratios) };
}

/** Microseconds of a question, one after the other on the calling thread; on a large catalogue of some of them. */
function microsOf(index: FlatIndex | HnswIndex, { questions, k }: TuneTask, efSearch: number | undefined): number {
  const asked = Math.min(questions.rows, index instanceof FlatIndex ? 20 : 500);
  const options = index instanceof FlatIndex ? {} : { efSearch };
  const began = performance.now();
  for (let r = 0; r < asked; r++) {
    index.searchSync(questions.data.subarray(r * questions.dim, (r + 1) * questions.dim), k, options);
  }
  return ((performance.now() - began) * 1000) / asked;
}

/** One more where the question itself is found. */
function widthOf({ k, self }: TuneTask): number {
  return self === undefined ? k : k + 1;
}
