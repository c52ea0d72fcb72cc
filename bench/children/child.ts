/** Child processes that measure one thing and answer with one message; their memory is theirs alone, and so is their end. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DatasetResult } from 'nigh/evaluation';
import type { AlgorithmSpec, OpenMode } from '../algorithms/algorithm.js';
import type { BuildTime } from '../algorithms/timed-build.js';
import type { GridDataset, GridMeasures } from '../ann/grid.js';
import type { DatasetReference } from '../datasets/registry.js';

export interface BuildTask {
  readonly task: 'build';
  readonly dataset: DatasetReference;
  readonly rows?: number | undefined;
  readonly algorithm: AlgorithmSpec;
  readonly threads: number;
  readonly path: string;
}

export interface BuildAnswer extends BuildTime {
  readonly threads: number;
  /** The most memory held during the build above what the process held with the dataset. */
  readonly peakBytes: number;
  readonly fileBytes: number;
  /** Cores that other processes used meanwhile, on average. */
  readonly othersCores: number;
  /** When it was built, ISO 8601. */
  readonly at: string;
}

export interface OpenTask {
  readonly task: 'open';
  readonly dataset: DatasetReference;
  readonly algorithm: AlgorithmSpec;
  readonly path: string;
  readonly mode: OpenMode;
  /** Whether the system is to forget the file first, so that it comes from the disk. */
  readonly cold: boolean;
  readonly effort: number;
  readonly queries: number;
}

export interface OpenAnswer {
  /** Milliseconds until the index can be asked; null where it was to be cold and the system could not be made to forget the file. */
  readonly openMs: number | null;
  /** Milliseconds of the first query after it. */
  readonly firstQueryMs: number;
  /** Resident memory above what the process held before, after opening and after the queries. */
  readonly openBytes: number;
  readonly searchedBytes: number;
}

export interface MeasureTask {
  readonly task: 'measure';
  readonly dataset: GridDataset;
  readonly grid: GridMeasures;
  /** Keys of algorithms that are built though they are in the cache. */
  readonly rebuild: readonly string[];
  readonly buildsOnly: boolean;
}

export interface MeasureAnswer {
  /** Null where no more than builds was asked for. */
  readonly result: DatasetResult | null;
}

export type ChildTask = BuildTask | OpenTask | MeasureTask;
export type ChildAnswer = BuildAnswer | OpenAnswer | MeasureAnswer;
/** What a child sends: JSON has no NaN, which arrives as null. */
export type ChildMessage = { readonly answer: ChildAnswer } | { readonly error: string };

/** A build or an opening that takes longer has stopped, and the others are not to wait for it. */
const mostMinutes = { build: 120, open: 10, measure: undefined };

/** @throws Error with what the child says, or how it ended */
export function runChild(task: BuildTask): Promise<BuildAnswer>;
export function runChild(task: OpenTask): Promise<OpenAnswer>;
export function runChild(task: MeasureTask): Promise<MeasureAnswer>;
export function runChild(task: ChildTask): Promise<ChildAnswer> {
  return new Promise((resolve, reject) => {
    const minutes = mostMinutes[task.task];
    const child = fork(fileURLToPath(new URL('./child-main.js', import.meta.url)), [], {
      execArgv: ['--expose-gc'],
      ...(minutes === undefined ? {} : { timeout: minutes * 60_000, killSignal: 'SIGKILL' }),
    });
    let message: ChildMessage | undefined;
    child.once('message', (sent) => {
      message = sent as ChildMessage;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (message === undefined) reject(new Error(`the process to ${task.task} it ended with ${signal ?? code}`));
      else if ('error' in message) reject(new Error(message.error));
      else resolve(message.answer);
    });
    child.send(task);
  });
}
