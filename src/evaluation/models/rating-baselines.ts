/** What predicts ratings without learning anything of tastes. */
import type { CsrMatrix } from '../../core/csr-matrix.js';
import { mulberry32 } from '../../core/random.js';
import type { FitContext, RatingModel, Trainer } from '../model.js';
import { clipper, forEachEntry, globalMean, mapPairs } from './biases.js';

type Predictor = (user: number, item: number) => number;

/** The same value for everybody: the mean of training. */
export const globalMeanTrainer = baseline('global mean', (train) => {
  const mean = globalMean(train);
  return () => mean;
});

/** A user's mean; that of all for a user without a rating. */
export const userMeanTrainer = baseline('user mean', (train) => {
  const means = rowMeans(train);
  return (user) => means[user]!;
});

/** An item's mean; that of all for an item without a rating. */
export const itemMeanTrainer = baseline('item mean', (train) => {
  const means = rowMeans(train.transpose());
  return (_, item) => means[item]!;
});

/** Drawn from the normal distribution with the mean and the deviation of training, and clipped to its range. */
export const normalTrainer = baseline('normal', (train, { seed }) => {
  const mean = globalMean(train);
  const squares = train.values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / train.entries);
  const next = mulberry32(seed);
  const clip = clipper(train);
  // Box and Muller; 1 − u is never 0.
  return () => clip(mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()));
});

/** One of training's ratings, drawn evenly. */
export const randomRatingTrainer = baseline('random', (train, { seed }) => {
  globalMean(train);
  const next = mulberry32(seed);
  const { values } = train;
  return () => values[Math.floor(next() * values.length)]!;
});

function baseline(name: string, learn: (train: CsrMatrix, context: FitContext) => Predictor): Trainer<RatingModel> {
  return {
    name,
    fit: async (train, context) => {
      const predict = learn(train, context);
      return { predict: async (pairs) => mapPairs(pairs, predict) };
    },
  };
}

/** The mean of every row; that of all values for an empty one. */
export function rowMeans(matrix: CsrMatrix): Float64Array {
  const mean = globalMean(matrix);
  const means = new Float64Array(matrix.rows);
  forEachEntry(matrix, (row, _, value) => {
    means[row] = means[row]! + value;
  });
  return means.map((sum, row) => {
    const count = matrix.offsets[row + 1]! - matrix.offsets[row]!;
    return count === 0 ? mean : sum / count;
  });
}
