/** What the interactions of a dataset weigh in the training of a model of choices: one matrix, whatever the model. */
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { choice, number, type ParamsOf } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';

export const weightingSchema = {
  /** What an interaction's value says: nothing (`binary`), its size (`raw`), the logarithm of its size (`log`). */
  value: choice(['binary', 'raw', 'log'], { default: 'binary' }),
  /** Interactions of a smaller value are not trained on (a rating of 2 of 5 is not liking); they still count as seen. Values of 0 and below never are. */
  minValue: number({ min: 0, default: 0 }),
};

export type Weighting = ParamsOf<typeof weightingSchema>;

/** The interactions that count, each with its weight above 0. */
export function toWeights(interactions: CsrMatrix, { value, minValue }: Weighting): CsrMatrix {
  const offsets = new Uint32Array(interactions.rows + 1);
  const columns = new Uint32Array(interactions.entries);
  const values = new Float32Array(interactions.entries);
  let size = 0;
  for (let r = 0; r < interactions.rows; r++) {
    for (let e = interactions.offsets[r]!; e < interactions.offsets[r + 1]!; e++) {
      const given = interactions.values[e]!;
      if (!(given > 0) || given < minValue) continue;
      columns[size] = interactions.columns[e]!;
      values[size] = value === 'binary' ? 1 : value === 'raw' ? given : Math.log2(1 + given);
      size++;
    }
    offsets[r + 1] = size;
  }
  return new CsrMatrix(interactions.rows, interactions.cols, offsets, columns.slice(0, size), values.slice(0, size));
}

/** toWeights of a dataset that has some. @throws NighError EMPTY_DATASET naming the embedding */
export function datasetWeights(embedding: string, dataset: Dataset, weighting: Weighting): CsrMatrix {
  const weights = toWeights(dataset.interactions, weighting);
  if (weights.entries > 0) return weights;
  throw new NighError(
    'EMPTY_DATASET',
    `${embedding}: the dataset ${dataset.origin.name} has no interaction with a value above 0 and of at least ${weighting.minValue}.`,
  );
}
