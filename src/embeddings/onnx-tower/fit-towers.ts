/** Features of items and users → vectors, each through its tower. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { onAbort, throwIfAborted } from '../../core/abort.js';
import { describe, invalidArgument, NighError } from '../../core/errors.js';
import { gatherRows, type Matrix, row, zeros } from '../../core/matrix.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { Dataset } from '../../data/dataset.js';
import { fileError } from '../../data/file-error.js';
import type { FitContext, FittedSpace, Vectors } from '../embedding.js';
import { readVectorsById } from '../vectors-by-id.js';
import { isColumns, type OnnxTowerParams, type TowerParams } from './onnx-tower.js';
import { atMetric, OnnxTower, type TowerPlan } from './tower.js';

/** @throws NighError as Embedding.fit; NOT_FOUND, IO, DIMENSION_MISMATCH, as OnnxTower.open, and as readVectorsById for features in files */
export async function fitTowers(dataset: Dataset, params: OnnxTowerParams, context: FitContext): Promise<FittedSpace> {
  const { metric } = params;
  const itemPlan = await readPlan(params, context);
  const questionPlan = params.questions && (await readPlan(params.questions, context));
  const features = await itemFeatures(dataset, params.features, context);
  const items = await embedAll(itemPlan, features, metric, context);
  if (items.ordinals.length === 0) {
    const why = features.ordinals.length === 0 ? 'has all of its features' : 'has a vector that is finite';
    throw new NighError('EMPTY_DATASET', `onnx-tower: none of ${dataset.items.size} items ${why}.`);
  }
  const users = params.users && (await userVectors(dataset, params.users, metric, context));
  if (users !== undefined) requireAlike(params.users!.model, users.matrix.dim, items.matrix.dim);
  if (questionPlan !== undefined) await tryQuestions(questionPlan, items.matrix.dim, context);
  return {
    items,
    ...(metric === 'ip' ? { likeness: items.matrix } : {}),
    ...(users === undefined ? {} : { users }),
    model: {
      bytes: itemPlan.bytes,
      ...(questionPlan === undefined ? {} : { questionBytes: questionPlan.bytes }),
      dim: items.matrix.dim,
      // What is stored has no keys without a value.
      params: JSON.parse(JSON.stringify(params)) as Record<string, unknown>,
    },
    notes: {
      model: itemPlan.origin,
      features: features.matrix.dim,
      withoutFeatures: dataset.items.size - features.ordinals.length,
      withoutVector: dataset.items.size - items.ordinals.length,
      ...(users === undefined ? {} : { usersWithoutVector: dataset.users.size - users.ordinals.length }),
    },
  };
}

async function userVectors(
  { users }: Dataset,
  params: NonNullable<OnnxTowerParams['users']>,
  metric: OnnxTowerParams['metric'],
  context: FitContext,
): Promise<Vectors> {
  const plan = await readPlan(params, context);
  const { vectors } = await readVectorsById('user', users, params.features, 'users.features', false, context);
  return embedAll(plan, vectors, metric, context);
}

/** The rows that have a vector. */
async function embedAll(
  plan: TowerPlan,
  features: Vectors,
  metric: OnnxTowerParams['metric'],
  { threads = 0, signal, onProgress }: FitContext,
): Promise<Vectors> {
  throwIfAborted(signal);
  const tower = await OnnxTower.open(plan, threads);
  // Ending the session ends the run that waits for it.
  const forget = onAbort(signal, () => void tower.close());
  let matrix: Matrix;
  try {
    matrix = await tower.run(features.matrix, (done) => onProgress?.(done, features.matrix.rows));
  } catch (error) {
    if (signal?.aborted) throw new NighError('ABORTED', 'The operation was aborted.', { cause: signal.reason });
    throw error;
  } finally {
    forget();
    await tower.close();
  }
  const kept = Uint32Array.from(features.ordinals.keys()).filter((r) => atMetric(row(matrix, r), metric) !== undefined);
  return { matrix: gatherRows(matrix, kept), ordinals: kept.map((r) => features.ordinals[r]!) };
}

/** Lets the tower of questions see a row of zeros, so that one of another space is known before the work is done. */
async function tryQuestions(plan: TowerPlan, dim: number, { threads = 0 }: FitContext): Promise<void> {
  const tower = await OnnxTower.open(plan, threads);
  try {
    if (tower.features === undefined) return;
    requireAlike(plan.origin, (await tower.run(zeros(1, tower.features))).dim, dim);
  } finally {
    await tower.close();
  }
}

function requireAlike(origin: string, dim: number, wanted: number): void {
  if (dim === wanted) return;
  throw new NighError(
    'DIMENSION_MISMATCH',
    `${origin}: expected vectors of ${wanted} values like those of the items, got ${dim}.`,
  );
}

async function itemFeatures(
  dataset: Dataset,
  features: OnnxTowerParams['features'],
  context: FitContext,
): Promise<Vectors> {
  if (!isColumns(features)) {
    return (await readVectorsById('item', dataset.items, features, 'features', false, context)).vectors;
  }
  const columns = features.map((name) => numberColumn(dataset, name));
  const ordinals = Uint32Array.from(dataset.titles.keys()).filter((item) =>
    columns.every((values) => values[item] !== undefined),
  );
  const matrix = zeros(ordinals.length, columns.length);
  ordinals.forEach((item, r) => {
    for (const [f, values] of columns.entries()) matrix.data[r * columns.length + f] = values[item]!;
  });
  return { matrix, ordinals };
}

/** @throws NighError MISSING_COLUMN, INVALID_ARGUMENT for a column of something else */
function numberColumn({ columns }: Dataset, name: string): readonly (number | undefined)[] {
  const column = columns.get(name);
  if (column === undefined) {
    const known = [...columns.keys()];
    throw new NighError(
      'MISSING_COLUMN',
      `onnx-tower: features: there is no column ${describe(name)}.${didYouMean(name, known)} The dataset has ${known.join(', ') || 'none'}.`,
    );
  }
  if (column.type !== 'number') throw invalidArgument(`features: ${name}`, 'a column of numbers', column.type);
  return column.values;
}

async function readPlan(params: TowerParams, context: FitContext): Promise<TowerPlan> {
  const path = resolve(context.baseDirectory ?? '.', params.model);
  try {
    return { bytes: await readFile(path), params, origin: path };
  } catch (cause) {
    throw fileError(path, cause);
  }
}
