/** How far a model's predicted values are from the held-out ones: one trainer, some splits, one row of a table. */
import { throwIfAborted } from '../core/abort.js';
import { invalidArgument, NighError } from '../core/errors.js';
import type { FitContext, Pairs, RatingModel, Trainer } from './model.js';
import type { Split } from './protocols/split.js';
import { mae, rmse } from './rating-metrics.js';

export interface RatingContext extends FitContext {
  /** Called with splits done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface RatingResult {
  readonly model: string;
  /** Mean over splits, as published tables of several folds have it. */
  readonly rmse: number;
  readonly mae: number;
  /** Held-out values, over all splits. */
  readonly pairs: number;
  readonly fitSeconds: number;
  readonly predictSeconds: number;
}

/**
 * @throws NighError INVALID_ARGUMENT for splits whose users are not in training, EMPTY_DATASET for a split that holds nothing out,
 * ABORTED, and what the trainer throws
 */
export async function evaluateRating(
  trainer: Trainer<RatingModel>,
  splits: readonly Split[],
  context: RatingContext,
): Promise<RatingResult> {
  if (splits.length === 0) throw invalidArgument('splits', 'at least one split', splits);
  let squared = 0;
  let absolute = 0;
  let pairs = 0;
  let fitSeconds = 0;
  let predictSeconds = 0;
  for (const [at, split] of splits.entries()) {
    throwIfAborted(context.signal);
    context.onProgress?.(at, splits.length);
    const asked = pairsOf(split);
    const began = performance.now();
    const model = await trainer.fit(split.train, context);
    const fitted = performance.now();
    const predicted = await model.predict(asked);
    predictSeconds += (performance.now() - fitted) / 1000;
    fitSeconds += (fitted - began) / 1000;
    requirePredictions(trainer.name, predicted, asked.items.length);
    squared += rmse(predicted, split.test.values);
    absolute += mae(predicted, split.test.values);
    pairs += predicted.length;
  }
  context.onProgress?.(splits.length, splits.length);
  return {
    model: trainer.name,
    rmse: squared / splits.length,
    mae: absolute / splits.length,
    pairs,
    fitSeconds,
    predictSeconds,
  };
}

/** The held-out pairs, parallel to the entries of `test`. */
function pairsOf({ name, test, users }: Split): Pairs {
  if (users === undefined) {
    throw invalidArgument('splits', 'splits whose users are in training, since ratings are predicted by user', name);
  }
  if (test.entries === 0) throw new NighError('EMPTY_DATASET', `${name}: nothing is held out.`);
  const rows = new Uint32Array(test.entries);
  for (let r = 0; r < test.rows; r++) rows.fill(users[r]!, test.offsets[r], test.offsets[r + 1]);
  return { users: rows, items: test.columns };
}

/** @throws NighError INTERNAL: a fault of the model, not of what it was given */
function requirePredictions(name: string, predicted: Float32Array, pairs: number): void {
  if (predicted.length === pairs && predicted.every(Number.isFinite)) return;
  const what = predicted.length === pairs ? 'one that is not finite' : `${predicted.length}`;
  throw new NighError('INTERNAL', `${name}: expected ${pairs} finite predictions, got ${what}.`);
}
