/**
 * The embedding `onnx-tower`: numbers through the towers of a retrieval model that somebody brings as ONNX, one for items and, where
 * there are, one for users and one for questions. All towers end in the same space: a user's score for an item is the inner product of
 * their vectors. nigh trains no tower; the models become part of the collection, which places new items and questions with them.
 *
 * A tower takes rows of float32 or float16, [rows, features], and gives [rows, dimensions]. Features are fed as they are: what scales
 * them belongs into the model. An item of which a feature is not known has no vector, and neither has one whose vector is not finite.
 */
import { invalidArgument, NighError } from '../../core/errors.js';
import { checked, choice, type Field, joinPath, optional, type ParamsOf, readParams, text } from '../../core/params.js';
import type { Content, Embedder, Embedding } from '../embedding.js';
import { type VectorFileParams, vectorFile } from '../vectors-by-id.js';
import type { OnnxTower } from './tower.js';

const names = checked(
  'an array of names',
  (value): value is readonly string[] =>
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string'),
);

/** Columns of numbers, in the order of the input; or a file with a row of features for every id. */
const columnsOrFile: Field<readonly string[] | VectorFileParams> = {
  optional: false,
  read: (value, path) => (Array.isArray(value) ? names.read(value, path) : vectorFile.read(value, path)),
};

const towerFields = {
  /** The tower, an .onnx file, relative to the recipe. */
  model: text(),
  /** The input that takes the features. Default: the model's only one. */
  input: optional(text()),
  /** The output to take; any tensor of the graph. Default: the model's only output. */
  output: optional(text()),
};

const userSchema = { ...towerFields, features: vectorFile };
const questionSchema = towerFields;

/** An object of a tower's keys. */
function tower<S extends typeof towerFields>(schema: S): Field<ParamsOf<S> | undefined> {
  return { optional: true, read: (value, path) => readParams(schema, value, path) };
}

const schema = {
  ...towerFields,
  /** Columns of numbers, in the order of the input; or a file with a row of features for every id. */
  features: columnsOrFile,
  /** The tower of users, and a file of their features: `{ "model": "user.onnx", "features": "users.npy" }`. Default: there are no user vectors. */
  users: tower(userSchema),
  /** The tower of questions, which are asked with `features`: `{ "model": "query.onnx" }`. Default: that of the items. */
  questions: tower(questionSchema),
  /** `cosine`: every vector is brought to unit length, also those of users. `ip`: the towers' vectors as they are. */
  metric: choice(['cosine', 'ip'], { default: 'cosine' }),
};

export type OnnxTowerParams = ParamsOf<typeof schema>;

export type TowerParams = ParamsOf<typeof towerFields>;

export const onnxTower: Embedding<OnnxTowerParams> = {
  name: 'onnx-tower',
  keys: Object.keys(schema),
  schema,
  parse,
  async fit(dataset, params, context) {
    const { fitTowers } = await import('./fit-towers.js');
    return fitTowers(dataset, params, context);
  },
  openEmbedder,
};

function parse(params: Readonly<Record<string, unknown>>, path: string): OnnxTowerParams {
  return readParams(schema, params, path);
}

/** Numbers → their vector: those of a question by its tower, an item's columns by the tower of items. Each is loaded when first used. */
async function openEmbedder(stored: Readonly<Record<string, unknown>>): Promise<Embedder> {
  const [{ ModelReader }, { OnnxTower: Tower, atMetric }] = await Promise.all([
    import('../model-reader.js'),
    import('./tower.js'),
  ]);
  const reader = new ModelReader('onnx-tower', stored);
  const params = reader.parsed('params', parse);
  const dim = reader.integer('dim');
  const itemPlan = { bytes: reader.bytes('bytes'), params, origin: params.model };
  const { questions } = params;
  const questionPlan =
    questions === undefined
      ? itemPlan
      : { bytes: reader.bytes('questionBytes'), params: questions, origin: questions.model };
  const opened = new Map<object, Promise<OnnxTower>>();
  let closed = false;
  return {
    dim,
    async embed(content, signal) {
      const plan = content.features === undefined ? itemPlan : questionPlan;
      const features =
        content.features === undefined ? itemFeatures(content, params) : questionFeatures(content.features);
      if (features === undefined) return undefined;
      if (closed) throw new NighError('CLOSED', 'The embedder was closed.');
      const promise = opened.get(plan) ?? Tower.open(plan, 0);
      opened.set(plan, promise);
      const used = await promise;
      if (signal?.aborted) throw new NighError('ABORTED', 'The operation was aborted.', { cause: signal.reason });
      const { data } = await used.run({ data: features, rows: 1, dim: features.length });
      if (data.length !== dim) {
        throw new NighError('FORMAT', `The stored onnx-tower model gives ${data.length} dimensions, not ${dim}.`);
      }
      return atMetric(data, params.metric);
    },
    async close() {
      closed = true;
      for (const promise of opened.values()) await (await promise.catch(() => undefined))?.close();
    },
  };
}

function questionFeatures(features: ArrayLike<number>): Float32Array {
  const values = Float32Array.from(features);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong === -1) return values;
  throw new NighError('NOT_FINITE', `features: expected finite numbers, got ${features[wrong]} at ${wrong}.`);
}

/** Undefined where a column is not known, and where the features of items were in a file. */
function itemFeatures({ attributes = {} }: Content, { features }: OnnxTowerParams): Float32Array | undefined {
  if (!isColumns(features)) return undefined;
  const values = features.map((name) => {
    const value = attributes[name];
    if (value === undefined || typeof value === 'number') return value;
    throw invalidArgument(joinPath('attributes', name), 'a number', value);
  });
  return values.every((value) => value !== undefined) ? Float32Array.from(values) : undefined;
}

export function isColumns(features: OnnxTowerParams['features']): features is readonly string[] {
  return Array.isArray(features);
}
