/** What the interactions of a dataset weigh in the training of a model of choices: one matrix, whatever the model. */
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { findNotFinite } from '../core/matrix.js';
import { choice, joinPath, number, optional, type ParamsOf, readParams, type Schema } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';

/** For models that look at which interactions there are, and not at what they weigh. */
export const selectionSchema = {
  /** Interactions of a smaller value are not trained on (a rating of 2 of 5 is not liking); they still count as seen. Values of 0 and below never are. */
  minValue: number({ min: 0, default: 0 }),
};

export const weightingSchema = {
  /**
   * What an interaction's value says: nothing (`binary`), its size (`raw`), the logarithm of its size (`log`), or its size by Okapi BM25
   * (`bm25`: Robertson and Zaragoza 2009, with users for documents and items for terms): sizes saturate, users of many interactions and
   * items of many users weigh less,
   *
   *   ln(1 + (N − n_i + ½) / (n_i + ½)) · s (k1 + 1) / (s + k1 (1 − b + b · |u| / mean |u|))
   *
   * with N users, n_i of them with the item, and |u| the sum of the sizes of a user.
   */
  value: choice(['binary', 'raw', 'log', 'bm25'], { default: 'binary' }),
  /** Only bm25. How soon larger sizes stop to count: 0 at once. Default 1.2. */
  k1: optional(number({ min: 0, max: 1000 })),
  /** Only bm25. How much users of many interactions are damped, 0 to 1. Default 0.75. */
  b: optional(number({ min: 0, max: 1 })),
  /** An interaction so many days older than the latest of the dataset weighs half. Default: age does not matter. */
  halfLifeDays: optional(number({ above: 0 })),
  ...selectionSchema,
};

export type Weighting = ParamsOf<typeof weightingSchema>;

/** Which interactions say that something is disliked, and what that weighs: 0 leaves them out. */
export interface Dislikes {
  /** The value that says nothing: above it is liked, below it disliked, by the difference. Undefined: 0. */
  readonly neutral: number | undefined;
  readonly weight: number;
}

/** Reads options with a weighting among them. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT with the path of the key */
export function readWeighted<S extends Schema & typeof weightingSchema>(
  schema: S,
  params: unknown,
  path: string,
): ParamsOf<S> {
  const read = readParams(schema, params, path);
  const { value, k1, b }: Pick<Weighting, 'value' | 'k1' | 'b'> = read as Weighting;
  for (const [key, given] of Object.entries({ k1, b })) {
    if (value === 'bm25' || given === undefined) continue;
    throw new NighError('INVALID_ARGUMENT', `${joinPath(path, key)}: means nothing to the value ${value}.`);
  }
  return read;
}

/** The interactions that count, each with its weight above 0, or below 0 where it says that something is disliked. */
export function toWeights(
  interactions: CsrMatrix,
  weighting: Weighting,
  timestamps?: Float64Array,
  dislikes: Dislikes = { neutral: undefined, weight: 0 },
): CsrMatrix {
  const { sizes, kept } = selected(interactions, weighting, dislikes);
  const weigh = weigherOf(sizes, weighting);
  const ages = weighting.halfLifeDays === undefined ? undefined : decays(timestamps!, weighting.halfLifeDays);
  const values = new Float32Array(sizes.entries);
  for (let user = 0; user < sizes.rows; user++) {
    for (let e = sizes.offsets[user]!; e < sizes.offsets[user + 1]!; e++) {
      const size = sizes.values[e]!;
      const weight = weigh(Math.abs(size), user, sizes.columns[e]!) * (ages?.[kept[e]!] ?? 1);
      values[e] = size > 0 ? weight : -dislikes.weight * weight;
    }
  }
  return new CsrMatrix(sizes.rows, sizes.cols, sizes.offsets, sizes.columns, values);
}

/** toWeights of a dataset that has some. @throws NighError EMPTY_DATASET, MISSING_COLUMN, NOT_FINITE naming the embedding */
export function datasetWeights(
  embedding: string,
  { interactions, timestamps, origin }: Dataset,
  weighting: Weighting,
  dislikes?: Dislikes,
): CsrMatrix {
  if (weighting.halfLifeDays !== undefined && timestamps === undefined) {
    throw new NighError(
      'MISSING_COLUMN',
      `${embedding}: halfLifeDays asks how old interactions are, and those of the dataset ${origin.name} have no times.`,
    );
  }
  const bad = findNotFinite(interactions.values);
  if (bad >= 0) {
    throw new NighError(
      'NOT_FINITE',
      `${embedding}: expected finite values, and one of the dataset ${origin.name} is ${interactions.values[bad]}.`,
    );
  }
  const weights = toWeights(interactions, weighting, timestamps, dislikes);
  if (weights.values.some((weight) => weight > 0)) return weights;
  throw new NighError(
    'EMPTY_DATASET',
    `${embedding}: the dataset ${origin.name} has no interaction with a value above ${dislikes?.neutral ?? 0} and of at least ${weighting.minValue}.`,
  );
}

/** Which interactions there are, for a model to which that is all. @throws NighError EMPTY_DATASET, NOT_FINITE naming the embedding */
export function datasetChoices(
  embedding: string,
  dataset: Dataset,
  { minValue }: { readonly minValue: number },
): CsrMatrix {
  const plain = { value: 'binary', k1: undefined, b: undefined, halfLifeDays: undefined } as const;
  return datasetWeights(embedding, dataset, { ...plain, minValue });
}

/** What counts, by the size of the liking, below 0 where it is none; and where each entry was. */
function selected(
  { rows, cols, offsets: from, columns: items, values }: CsrMatrix,
  { minValue }: Weighting,
  { neutral = 0, weight }: Dislikes,
): { sizes: CsrMatrix; kept: Uint32Array } {
  const offsets = new Uint32Array(rows + 1);
  const columns = new Uint32Array(items.length);
  const sizes = new Float32Array(items.length);
  const kept = new Uint32Array(items.length);
  let size = 0;
  for (let r = 0; r < rows; r++) {
    for (let e = from[r]!; e < from[r + 1]!; e++) {
      const liking = values[e]! - neutral;
      const isLiked = liking > 0 && values[e]! >= minValue;
      if (!isLiked && !(liking < 0 && weight > 0)) continue;
      columns[size] = items[e]!;
      sizes[size] = liking;
      kept[size++] = e;
    }
    offsets[r + 1] = size;
  }
  return {
    sizes: new CsrMatrix(rows, cols, offsets, columns.slice(0, size), sizes.slice(0, size)),
    kept: kept.slice(0, size),
  };
}

type Weigher = (size: number, user: number, item: number) => number;

function weigherOf(sizes: CsrMatrix, { value, k1 = 1.2, b = 0.75 }: Weighting): Weigher {
  switch (value) {
    case 'binary':
      return () => 1;
    case 'raw':
      return (size) => size;
    case 'log':
      return (size) => Math.log2(1 + size);
    case 'bm25':
      return okapi(sizes, k1, b);
  }
}

function okapi(sizes: CsrMatrix, k1: number, b: number): Weigher {
  const lengths = new Float64Array(sizes.rows);
  let users = 0;
  for (let user = 0; user < sizes.rows; user++) {
    for (const size of sizes.row(user).values) lengths[user]! += Math.abs(size);
    if (lengths[user]! > 0) users++;
  }
  const mean = lengths.reduce((sum, length) => sum + length, 0) / users;
  const idf = Float64Array.from(sizes.columnCounts(), (n) => Math.log(1 + (users - n + 0.5) / (n + 0.5)));
  return (size, user, item) => (idf[item]! * size * (k1 + 1)) / (size + k1 * (1 - b + (b * lengths[user]!) / mean));
}

const secondsOfDay = 86_400;

/** What is left of a weight for its age, by entry of the dataset. */
function decays(timestamps: Float64Array, halfLifeDays: number): Float64Array {
  const latest = timestamps.reduce((most, time) => Math.max(most, time), Number.NEGATIVE_INFINITY);
  // Not quite 0, however old: a weight of 0 is no confidence.
  return timestamps.map((time) => Math.max(1e-6, 2 ** ((time - latest) / (halfLifeDays * secondsOfDay))));
}
