/** Child processes that measure one thing and answer with one message; their memory is theirs alone. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AlgorithmSpec, OpenMode } from '../algorithms/algorithm.js';
import type { DatasetReference } from '../datasets/registry.js';

export interface BuildTask {
  readonly task: 'build';
  readonly dataset: DatasetReference;
  readonly rows?: number | undefined;
  readonly algorithm: AlgorithmSpec;
  readonly threads: number;
  readonly path: string;
}

export interface BuildAnswer {
  readonly threads: number;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly fileBytes: number;
  readonly othersCores: number;
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

export type ChildTask = BuildTask | OpenTask;

export function runChild(task: BuildTask): Promise<BuildAnswer>;
export function runChild(task: OpenTask): Promise<OpenAnswer>;
export function runChild(task: ChildTask): Promise<BuildAnswer | OpenAnswer> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./child-main.js', import.meta.url)), [], { execArgv: ['--expose-gc'] });
    let answer: BuildAnswer | OpenAnswer | undefined;
    child.once('message', (message) => {
      answer = message as BuildAnswer | OpenAnswer;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (answer !== undefined) resolve(answer);
      else reject(new Error(`${task.algorithm.key}: the process to ${task.task} it ended with ${signal ?? code}.`));
    });
    child.send(task);
  });
}
