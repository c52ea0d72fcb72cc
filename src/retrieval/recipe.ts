/** Recipes: what a collection is built from. Read completely before any work begins; see docs of each embedding for its keys. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { describe, NighError } from '../core/errors.js';
import {
  choice,
  flag,
  integer,
  isPlainObject,
  joinPath,
  number,
  optional,
  type ParamsOf,
  readParams,
  refuseUnknownKeys,
  text,
} from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import { type DatasetSpec, parseDatasetSpec } from '../data/sources/registry.js';
import type { FitContext, FittedSpace } from '../embeddings/embedding.js';
import { embeddingNames, findEmbedding } from '../embeddings/registry.js';
import { quantizationNames, recallField } from '../index/build-options.js';
import { buildOrder } from './build-order.js';
import { type Taste, tasteField } from './taste.js';

const graphFields = {
  /** Links of a node on the upper layers; twice as many on the lowest. More find more, and cost memory and build time. */
  M: optional(integer({ min: 2, max: 256 })),
  /** Candidate pool while the graph is built: larger builds a better graph, slower. */
  efConstruction: optional(integer({ min: 1, max: 10_000 })),
  /** Candidate pool of a search, unless the query says otherwise: larger finds more, slower. */
  efSearch: optional(integer({ min: 1, max: 10_000 })),
};

const hnswFields = {
  ...graphFields,
  /** `none` traverses the vectors themselves: slower, but where many items are nearly alike it tells them apart. */
  quantization: optional(choice(quantizationNames)),
  /** Instead of efSearch: the wanted share of the true neighbours, for which the effort is measured as the index is built. */
  recall: optional(recallField),
};

export const indexSchemas = {
  hnsw: { kind: choice(['hnsw'], { default: 'hnsw' }), ...hnswFields },
  hnswlib: { kind: choice(['hnswlib']), ...graphFields },
  flat: { kind: choice(['flat']) },
  /** Flat where comparing everything is fast enough, else hnsw: decided by rows, dimensions and metric as it is built (choose-index.ts). */
  auto: { kind: choice(['auto']), ...hnswFields },
};

/** How the indexes of a space are built. What is undefined is the engine's default. */
export type IndexSettings = {
  [Kind in keyof typeof indexSchemas]: ParamsOf<(typeof indexSchemas)[Kind]>;
}[keyof typeof indexSchemas];

/** One space of a recipe, with its parameters checked and completed. */
export interface SpaceRecipe {
  readonly name: string;
  /** Name of the embedding. */
  readonly embedding: string;
  readonly index: IndexSettings;
  /** Names of the spaces that are fitted before, because the fit reads them. */
  readonly uses: readonly string[];
  /** Whether a build leaves it out rather than download something for it. */
  readonly optional: boolean;
  /** As Embedding.fetches, with the recipe's parameters. */
  fetches(surroundings: Pick<FitContext, 'environment'>): Promise<string | undefined>;
  /** As Embedding.requireColumns, with the recipe's parameters. */
  requireColumns(dataset: Dataset): Promise<void>;
  /** Fits the embedding with the recipe's parameters. @throws NighError as Embedding.fit */
  fit(dataset: Dataset, context: FitContext): Promise<FittedSpace>;
}

export interface Recipe {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly dataset: DatasetSpec;
  /** In the order of the file: the first that can answer a question does. */
  readonly spaces: readonly SpaceRecipe[];
  /** An index whose measured recall@10 is below this does not go live. */
  readonly recallFloor: number;
  /** How a user's past becomes a taste in spaces without user vectors. */
  readonly taste: Taste;
  /** Whether the collection keeps the items' pictures, to be shown beside them. */
  readonly pictures: boolean;
  /** What relative paths of the dataset and of models are relative to. */
  readonly baseDirectory: string;
  /** The recipe as it was given, to be kept beside what is built from it. */
  readonly json: string;
}

export const headSchema = {
  $schema: optional(text()),
  /** Name of the collection: letters, digits, `.`, `-` and `_`, 64 at most. */
  name: text(),
  /** Its name for people. Default: `name`. */
  title: optional(text()),
  /** One sentence for whoever meets it. */
  description: text({ default: '' }),
  /** An index whose measured recall@10 is below this does not go live. */
  recallFloor: number({ min: 0, max: 1, default: 0.95 }),
  /** How a user's past becomes a taste in spaces without user vectors. */
  taste: tasteField,
  /** Whether the collection keeps the items' pictures, to be shown beside them. */
  pictures: flag({ default: false }),
  dataset: { read: parseDatasetSpec, optional: false },
  spaces: { read: parseSpaces, optional: false },
};

/**
 * Reads and checks a recipe file.
 * @throws NighError NOT_FOUND, IO, INVALID_RECIPE, UNKNOWN_OPTION
 */
export async function loadRecipe(path: string): Promise<Recipe> {
  let json: string;
  try {
    json = await readFile(path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new NighError(
      missing ? 'NOT_FOUND' : 'IO',
      `${path}: ${missing ? 'there is no such recipe' : 'cannot be read'}.`,
      { cause },
    );
  }
  return parseRecipe(json, dirname(resolve(path)), path);
}

/**
 * Checks a recipe. Every wrong value is INVALID_RECIPE and every unknown key UNKNOWN_OPTION, with the path of the key.
 * @param baseDirectory what relative paths of the dataset are relative to
 * @param origin the file, for messages
 * @throws NighError INVALID_RECIPE, UNKNOWN_OPTION
 */
export function parseRecipe(json: string, baseDirectory: string, origin = 'recipe'): Recipe {
  try {
    const { name, title, description, recallFloor, taste, pictures, dataset, spaces } = readParams(
      headSchema,
      parseJson(json),
      '',
    );
    requireName(name, 'name', /^[a-z0-9][a-z0-9._-]{0,63}$/i);
    const head = { name, title: title ?? name, description, recallFloor, taste, pictures };
    return { ...head, dataset, spaces, baseDirectory, json };
  } catch (cause) {
    if (!(cause instanceof NighError)) throw cause;
    const code = cause.code === 'INVALID_ARGUMENT' ? 'INVALID_RECIPE' : cause.code;
    throw new NighError(code, `${origin}: ${cause.message}`, { cause });
  }
}

function parseJson(json: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new NighError('INVALID_RECIPE', `not valid JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isPlainObject(value)) throw new NighError('INVALID_RECIPE', `expected an object, got ${describe(value)}.`);
  return value;
}

function parseSpaces(value: unknown, path: string): readonly SpaceRecipe[] {
  if (!isPlainObject(value) || Object.keys(value).length === 0) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${path}: expected an object with at least one space, got ${describe(value)}.`,
    );
  }
  const names = new Map<string, string>();
  const spaces = Object.entries(value).map(([name, space]) => {
    const at = joinPath(path, name);
    requireName(name, at, /^[a-z0-9][a-z0-9_-]{0,31}$/i);
    const twin = names.get(name.toLowerCase());
    if (twin !== undefined) {
      throw new NighError(
        'INVALID_ARGUMENT',
        `${at}: differs from ${joinPath(path, twin)} in case only; files may not.`,
      );
    }
    names.set(name.toLowerCase(), name);
    return parseSpace(name, space, at);
  });
  buildOrder(spaces, path);
  requireWhole(spaces, path);
  return spaces;
}

/** Whatever is left out, something is built, and nothing that is built lacks a part. */
function requireWhole(spaces: readonly SpaceRecipe[], path: string): void {
  const optionals = new Set(spaces.filter((space) => space.optional).map(({ name }) => name));
  if (optionals.size === spaces.length) {
    throw new NighError('INVALID_ARGUMENT', `${path}: expected at least one space that is not optional.`);
  }
  for (const { name, uses } of spaces) {
    const used = uses.find((other) => optionals.has(other));
    if (used === undefined || optionals.has(name)) continue;
    throw new NighError(
      'INVALID_ARGUMENT',
      `${joinPath(path, name)}.optional: expected true, since it uses the space ${used}, which may be left out.`,
    );
  }
}

function parseSpace(name: string, value: unknown, path: string): SpaceRecipe {
  if (!isPlainObject(value))
    throw new NighError('INVALID_ARGUMENT', `${path}: expected an object, got ${describe(value)}.`);
  const { embedding: embeddingName, index, optional: given = false, ...params } = value;
  if (typeof embeddingName !== 'string') {
    const expected = embeddingNames()
      .map((known) => JSON.stringify(known))
      .join(', ');
    throw new NighError(
      'INVALID_ARGUMENT',
      `${path}.embedding: expected one of ${expected}, got ${describe(embeddingName)}.`,
    );
  }
  const embedding = findEmbedding(embeddingName, `${path}.embedding`);
  refuseUnknownKeys(value, ['embedding', 'index', 'optional', ...embedding.keys], path);
  const parsed = embedding.parse(params, path);
  if (index !== undefined && embedding.isSparse?.(parsed) === true) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${path}.index: expected none, since items are compared by sparse rows, which have an index of their own.`,
    );
  }
  return {
    name,
    embedding: embedding.name,
    index: parseIndex(index ?? {}, `${path}.index`),
    uses: embedding.uses?.(parsed) ?? [],
    optional: flag().read(given, `${path}.optional`),
    fetches: async (surroundings) => embedding.fetches?.(parsed, surroundings),
    requireColumns: async (dataset) => embedding.requireColumns?.(dataset, parsed),
    fit: (dataset, context) => embedding.fit(dataset, parsed, context),
  };
}

/** Reads the key `index` of a space. @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function parseIndex(value: unknown, path: string): IndexSettings {
  const given = isPlainObject(value) ? value.kind : undefined;
  const kinds = Object.keys(indexSchemas) as (keyof typeof indexSchemas)[];
  const kind = given === undefined ? 'hnsw' : choice(kinds).read(given, `${path}.kind`);
  const settings: IndexSettings = readParams<(typeof indexSchemas)[typeof kind]>(indexSchemas[kind], value, path);
  if ('recall' in settings && settings.recall !== undefined && settings.efSearch !== undefined) {
    throw new NighError('INVALID_ARGUMENT', `${path}.recall: expected only one of efSearch and recall, got both.`);
  }
  return settings;
}

/** Names become file names. */
function requireName(name: string, path: string, pattern: RegExp): void {
  if (pattern.test(name) && !name.endsWith('.')) return;
  throw new NighError(
    'INVALID_ARGUMENT',
    `${path}: expected a name of letters, digits, "-" and "_" that begins with a letter or digit, got ${describe(name)}.`,
  );
}
