/** The program of a child process: takes one task, answers with one message, ends. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ask } from '../algorithms/algorithm.js';
import { algorithm } from '../algorithms/registry.js';
import { bytesOnDisk, filesOf } from '../builds.js';
import { loadDataset, queryVectors } from '../datasets/dataset.js';
import { findDataset } from '../datasets/registry.js';
import { dropFromCache, forgetPeak, peakBytes, residentBytes, watchOthers } from '../machine.js';
import type { BuildAnswer, BuildTask, ChildAnswer, ChildMessage, ChildTask, OpenAnswer, OpenTask } from './child.js';

const k = 10;

// Who asked is gone: nobody will read the answer.
process.once('disconnect', () => process.exit(1));

process.once('message', (task: ChildTask) => {
  work(task).then(
    (answer) => send({ answer }, 0),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      send({ error: error instanceof Error ? error.message : String(error) }, 1);
    },
  );
});

function send(message: ChildMessage, exitCode: number): void {
  process.send!(message, () => process.exit(exitCode));
}

async function work(task: ChildTask): Promise<ChildAnswer> {
  if (task.task === 'build') return build(task);
  if (task.task === 'open') return measureOpening(task);
  // Loaded here only: what a build's process holds is to be the build's.
  const { measureDataset } = await import('../ann/measure-dataset.js');
  return { result: (await measureDataset(task.dataset, task.grid, task)) ?? null };
}

async function build({ dataset: wanted, rows, algorithm: spec, threads, path }: BuildTask): Promise<BuildAnswer> {
  const engine = await algorithm(spec);
  const dataset = await loadDataset(await findDataset(wanted), { queries: 1, rows });
  await mkdir(dirname(path), { recursive: true });
  globalThis.gc?.();
  forgetPeak();
  const before = residentBytes();
  const at = new Date().toISOString();
  const others = watchOthers();
  const time = await engine.build(dataset, path, threads);
  const othersCores = others();
  const peak = peakBytes() - before;
  const fileBytes = await (engine.savedBytes ?? bytesOnDisk)(path);
  return { threads, ...time, peakBytes: peak, fileBytes, othersCores, at };
}

async function measureOpening(task: OpenTask): Promise<OpenAnswer> {
  const engine = await algorithm(task.algorithm);
  // One row is enough to know metric and dimension; more would be memory that is not the index's.
  const dataset = await loadDataset(await findDataset(task.dataset), { queries: task.queries, rows: 1 });
  const [first, ...others] = queryVectors(dataset);
  const forgotten = task.cold && dropFromCache(await filesOf(task.path));
  globalThis.gc?.();
  const before = residentBytes();
  const began = performance.now();
  const opened = await engine.open(dataset, task.path, task.mode);
  const openMs = performance.now() - began;
  const openBytes = residentBytes() - before;
  opened.setEffort(task.effort);
  const asked = performance.now();
  await ask(opened, first!, k);
  const firstQueryMs = performance.now() - asked;
  for (const vector of others) await ask(opened, vector, k);
  globalThis.gc?.();
  const searchedBytes = residentBytes() - before;
  return { openMs: task.cold && !forgotten ? null : openMs, firstQueryMs, openBytes, searchedBytes };
}
