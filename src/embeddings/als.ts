/**
 * The embedding `als`: items and users from interactions, by implicit alternating least squares.
 *
 * Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008; objective and scaling of Rendle,
 * Krichene, Zhang and Koren, "Revisiting the performance of iALS on item recommendation benchmarks", RecSys 2022. The sweeps
 * are native (native/train/als); this file turns a dataset into confidences and factors into a space.
 *
 *   paper        here
 *   c_ui         confidence = alpha · w(value), w by `value`: binary 1, raw the value, log log2(1 + value)
 *   w0, λ, ν     unobservedWeight, regularization, frequencyExponent
 *   p_u, q_i     user and item factors; a user's score for an item is p_u·q_i
 *
 * How items are compared with each other (this is what damps popularity, see docs/decisions/0002): not by q_i·q_j, which hubs win
 * by their length, and not by cos(q_i, q_j) alone, which the rarest win, because a vector that two interactions made points exactly
 * where they do. But by the cosine of the items' whole rows of interactions, of which the factors hold a part:
 *
 *   likeness(i, j) = √s_i · √s_j · cos(q_i, q_j)      s_i = how much of i the factors explain (explained-share.ts)
 *
 * In a projection, |x̂|²/|x|² is the mean of the fitted values over the ones of x; the unexplained parts of two items are taken to
 * have nothing in common. Deviation: iALS is not a projection, but its mean fitted score plays the same part.
 */
import { alsGramian, alsTrain } from '../binding/train.js';
import { ridgeMap } from '../binding/train-linear.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { choice, integer, joinPath, number, optional, type ParamsOf, text } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import {
  type FeatureMap,
  featureRows,
  fitScales,
  minExplainedShare,
  placeCold,
  placeFeatures,
  readFeatureMap,
  requireFeatures,
  storedFeatureMap,
} from './als-features.js';
import { foldIn, foldInItem, readAlsModel } from './als-model.js';
import type { Embedder, Embedding, FitContext, FittedSpace, Vectors } from './embedding.js';
import { explainedShares } from './explained-share.js';
import { ModelReader } from './model-reader.js';
import { type PopularityParams, withPopularityOption } from './popularity-option.js';
import { hasLength, rowsWhere, squaredLength } from './trained-rows.js';
import { datasetWeights, readWeighted, weightingSchema } from './weighting.js';

const schema = {
  /** Dimensions. More fit finer tastes, and cost time (quadratic a row), memory and, on little data, generality. */
  factors: integer({ min: 1, max: 1024, default: 64 }),
  /** Sweeps over users and items. */
  iterations: integer({ min: 1, max: 1000, default: 12 }),
  /**
   * w0: how strongly a pair that was not observed asks for a score of zero. Larger damps popularity, and takes interactions to mean
   * less. Default: as much as lets all unobserved pairs together weigh 20 times what the observed ones do, at most 0.3, so
   * that a sparse matrix is not drowned by its zeros.
   */
  unobservedWeight: optional(number({ above: 0 })),
  /** λ. Larger pulls factors to zero: smoother, less specific. */
  regularization: number({ min: 0, default: 0.01 }),
  /** ν: how regularisation grows with the number of interactions of a user or item. 0 treats all alike, 1 pulls hubs hardest. */
  frequencyExponent: number({ min: 0, max: 2, default: 1 }),
  /** Confidence of one plain interaction. */
  alpha: number({ above: 0, default: 1 }),
  ...weightingSchema,
  /**
   * What a dislike weighs beside a like that is as strong, 0 to 100: a pair that is disliked asks for a score of 0 with a confidence of its
   * own. 0 leaves dislikes out. A dislike is a value below `neutral`.
   */
  dislikes: number({ min: 0, max: 100, default: 0 }),
  /** The value that says nothing, such as 3 of 5 stars: a pair is liked or disliked by the difference to it. Default: 0. */
  neutral: optional(number()),
  /**
   * Name of another space of the recipe, fitted before: items that nobody chose are placed by what it knows of them, and rarely chosen
   * ones are drawn to that place, the less the more often they are chosen. Default: items without interactions have no vector.
   */
  features: optional(text()),
  /**
   * Only with `features`. `prior` (default): the features take part in the training, as the prior mean of the items' rows. `map`: the factors
   * are trained without, and only the items that nobody chose are placed, by a linear map learnt afterwards.
   */
  coldItems: optional(choice(['prior', 'map'])),
  /** Only with `features`. Ridge of the map from features to factors, beside the mean weight of a feature: larger leaves more to who chose an item. Default 0.5. */
  featureRegularization: optional(number({ above: 0 })),
  /** Standard deviation of a start vector's length, as in the paper. */
  initStddev: number({ above: 0, default: 0.1 }),
  /** Conjugate-gradient steps a row, started from the last sweep's factors; 0 solves every row exactly by Cholesky. */
  cgSteps: integer({ min: 0, max: 100, default: 3 }),
  seed: integer({ min: 0, default: 42 }),
};

type ModelParams = ParamsOf<typeof schema>;
export type AlsParams = ModelParams & PopularityParams;

const defaultFeatureRegularization = 0.5;

export const als: Embedding<AlsParams> = withPopularityOption<ModelParams>({
  name: 'als',
  keys: Object.keys(schema),
  schema,
  parse,
  uses: ({ features }) => (features === undefined ? [] : [features]),
  fit: fitAls,
  foldsDislikes: true,
  openFolder: (stored) => {
    const model = readAlsModel(stored);
    return (history) => foldIn(model, history);
  },
  openAudienceFolder: (stored) => {
    const model = readAlsModel(stored);
    const placing = stored.features === undefined ? undefined : readPlacing(stored);
    return (audience, content) => {
      const mean = placing && content && placeFeatures(placing, Float32Array.of(...content, 1));
      return foldInItem(model, audience, mean?.vector);
    };
  },
  openEmbedder,
});

function parse(params: Readonly<Record<string, unknown>>, path: string): ModelParams {
  const read = readWeighted(schema, params, path);
  for (const key of ['coldItems', 'featureRegularization'] as const) {
    if (read[key] === undefined || read.features !== undefined) continue;
    throw new NighError('INVALID_ARGUMENT', `${joinPath(path, key)}: means nothing without features.`);
  }
  return read;
}

async function fitAls(dataset: Dataset, params: ModelParams, context: FitContext): Promise<FittedSpace> {
  const confidences = toConfidences(dataset, params);
  const unobservedWeight = params.unobservedWeight ?? defaultUnobservedWeight(confidences);
  const { users, items, map } = await train(confidences, { ...params, unobservedWeight }, context);
  const gramian = await alsGramian(items, unobservedWeight);
  const userGramian = await alsGramian(users, unobservedWeight);
  const shares = await explainedShares(confidences, users, items, context.signal);
  const counts = confidences.columnCounts();
  const cold = map && (await placed(map, counts, { ...params, unobservedWeight }, users.rows, items, shares, context));
  const found = rowsWhere(items, (item) => (shares[item] ?? 0) >= minExplainedShare && hasLength(items, item));
  const foundUsers = rowsWhere(users, (user) => hasLength(users, user));
  const { factors, regularization, frequencyExponent, alpha, features } = params;
  return {
    items: found,
    users: foundUsers,
    likeness: toLikeness(found, shares),
    model: {
      ...{ factors, unobservedWeight, regularization, frequencyExponent, alpha },
      ...{ items: items.rows, users: users.rows, gramian, userGramian },
      ...(cold === undefined ? {} : { features, ...storedFeatureMap(cold.placing) }),
    },
    notes: {
      interactions: confidences.entries,
      unobservedWeight,
      itemsWithoutVector: items.rows - found.ordinals.length,
      ...(cold === undefined ? {} : { itemsByFeatures: cold.count }),
      usersWithoutVector: users.rows - foundUsers.ordinals.length,
      meanExplainedShare: found.ordinals.reduce((sum, item) => sum + shares[item]!, 0) / found.ordinals.length,
      popularity:
        'damped: items are compared by direction, times the root of the share of each that the factors explain',
    },
  };
}

type TrainedParams = ModelParams & { readonly unobservedWeight: number };

/** The features of every item, and their map to the factors. */
interface KnownFeatures {
  readonly rows: Matrix;
  readonly map: Matrix;
}

async function train(
  confidences: CsrMatrix,
  params: TrainedParams,
  context: FitContext,
): Promise<{ users: Matrix; items: Matrix; map: KnownFeatures | undefined }> {
  const trained = { ...params, dislikes: params.dislikes > 0 };
  if (params.features === undefined) return { ...(await alsTrain(confidences, trained, context)), map: undefined };
  const rows = featureRows(requireFeatures(params.features, context.spaces), confidences.cols);
  const regularization = params.featureRegularization ?? defaultFeatureRegularization;
  if (params.coldItems !== 'map') {
    const { users, items, map } = await alsTrain(confidences, trained, context, { rows, regularization });
    return { users, items, map: { rows, map: map! } };
  }
  const { users, items } = await alsTrain(confidences, trained, context);
  const weights = ridgeWeights(confidences.columnCounts(), params, users.rows);
  const map = await ridgeMap(rows, weights, items, regularization, { ...context, onProgress: undefined });
  return { users, items, map: { rows, map } };
}

/** (n_i + w0 |U|)^ν of items that somebody chose: what the rows weigh in the training's own map, but for a factor. */
function ridgeWeights(counts: Uint32Array, params: TrainedParams, users: number): Float32Array {
  return Float32Array.from(counts, (n) =>
    n === 0 ? 0 : (n + params.unobservedWeight * users) ** params.frequencyExponent,
  );
}

/** Places the items that nobody chose, in `items` and `shares`. */
async function placed(
  { rows, map }: KnownFeatures,
  counts: Uint32Array,
  params: TrainedParams,
  users: number,
  items: Matrix,
  shares: Float32Array,
  context: FitContext,
): Promise<{ placing: FeatureMap; count: number }> {
  const regularization = params.featureRegularization ?? defaultFeatureRegularization;
  const weights = ridgeWeights(counts, params, users);
  const placing = { map, scales: await fitScales(rows, weights, items, shares, regularization, context) };
  const count = await placeCold(rows, placing, (item) => counts[item] === 0, items, shares, context.signal);
  return { placing, count };
}

/** Places new items by their features; what is compared is their direction. */
async function openEmbedder(
  stored: Readonly<Record<string, unknown>>,
  openSpace?: (name: string) => Promise<Embedder>,
): Promise<Embedder> {
  if (stored.features === undefined || openSpace === undefined) {
    throw new NighError(
      'UNSUPPORTED',
      'als: without features of another space, content does not say where an item belongs.',
    );
  }
  const name = new ModelReader('als', stored).text('features');
  const placing = readPlacing(stored);
  const opened = await openSpace(name);
  if (opened.dim !== placing.map.dim - 1) {
    await opened.close?.();
    throw new NighError(
      'UNSUPPORTED',
      `als: the embedder of ${name} makes vectors of ${opened.dim} values, not ${placing.map.dim - 1}.`,
    );
  }
  const place: (...args: Parameters<Embedder['embed']>) => Promise<ReturnType<typeof placeFeatures>> = async (
    ...args
  ) => {
    const content = await opened.embed(...args);
    return content && placeFeatures(placing, Float32Array.of(...content, 1));
  };
  return {
    dim: placing.map.rows,
    embed: async (...args) => {
      const found = await place(...args);
      if (found === undefined) return undefined;
      const scale = Math.sqrt(found.share) / Math.hypot(...found.vector);
      return found.vector.map((value) => scale * value);
    },
    embedForUsers: async (...args) => (await place(...args))?.vector,
    close: async () => opened.close?.(),
  };
}

function readPlacing(stored: Readonly<Record<string, unknown>>): FeatureMap {
  const reader = new ModelReader('als', stored);
  return readFeatureMap(reader, reader.integer('factors'));
}

function defaultUnobservedWeight({ rows, cols, entries, values }: CsrMatrix): number {
  const observed = values.reduce((sum, confidence) => sum + Math.abs(confidence), 0) / entries;
  return Math.min(0.3, 20 * (entries / rows / cols)) * observed;
}

/** Directions of length √share. */
function toLikeness({ matrix: items, ordinals }: Vectors, shares: Float32Array): Matrix {
  const data = new Float32Array(items.data.length);
  ordinals.forEach((item, r) => {
    const at = r * items.dim;
    const scale = Math.sqrt(shares[item]! / squaredLength(items, r));
    for (let d = at; d < at + items.dim; d++) data[d] = scale * items.data[d]!;
  });
  return { data, rows: items.rows, dim: items.dim };
}

/** The training matrix: interactions that count, each with its confidence, below 0 for a dislike. */
export function toConfidences(dataset: Dataset, params: ModelParams): CsrMatrix {
  const { neutral, dislikes: weight, alpha } = params;
  const weights = datasetWeights('als', dataset, params, { neutral, weight });
  return new CsrMatrix(
    weights.rows,
    weights.cols,
    weights.offsets,
    weights.columns,
    weights.values.map((value) => alpha * value),
  );
}
