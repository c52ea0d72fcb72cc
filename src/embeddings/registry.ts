/** Every embedding that a recipe can name. A new one is one file and one line here, or registered by a program of its own. */
import { invalidArgument, NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { als } from './als.js';
import { bpr } from './bpr.js';
import { concat } from './concat.js';
import { ease } from './ease.js';
import type { Embedding } from './embedding.js';
import { features } from './features/features.js';
import { glove } from './glove.js';
import { image } from './image/image.js';
import { item2vec } from './item2vec.js';
import { mf } from './mf.js';
import { nmf } from './nmf.js';
import { onnxText } from './onnx-text/onnx-text.js';
import { onnxTower } from './onnx-tower/onnx-tower.js';
import { precomputed } from './precomputed.js';
import { svd } from './svd.js';
import { tfidf } from './tfidf.js';

/** The parameters' types differ from one to the next; each is handed only what its own `parse` made. */
const embeddings: readonly Embedding<never>[] = [
  als as Embedding<never>,
  concat as Embedding<never>,
  features as Embedding<never>,
  bpr as Embedding<never>,
  ease as Embedding<never>,
  glove as Embedding<never>,
  image as Embedding<never>,
  item2vec as Embedding<never>,
  mf as Embedding<never>,
  nmf as Embedding<never>,
  onnxText as Embedding<never>,
  onnxTower as Embedding<never>,
  precomputed as Embedding<never>,
  svd as Embedding<never>,
  tfidf as Embedding<never>,
];

const byName = new Map(embeddings.map((embedding) => [embedding.name, embedding]));

/** Whether an embedding of this name comes with nigh, and was not registered by a program. */
export function isBuiltIn(name: string): boolean {
  return embeddings.some((embedding) => embedding.name === name);
}

/** The names, for messages and schemas. */
export function embeddingNames(): readonly string[] {
  return [...byName.keys()];
}

/**
 * Makes an embedding of one's own known to recipes of this process, under its name: call it before a recipe is read that names it, and
 * before a collection is opened in which it places newcomers or new items.
 * @throws NighError INVALID_ARGUMENT for a name that is taken or cannot be one, and for what is no embedding
 */
export function registerEmbedding<Params>(embedding: Embedding<Params>): void {
  const { name, keys, parse, fit } = embedding ?? {};
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9_-]*$/i.test(name)) {
    throw invalidArgument('embedding.name', 'a name of letters, digits, "-" and "_"', name);
  }
  if (byName.has(name)) {
    throw new NighError('INVALID_ARGUMENT', `embedding.name: there is an embedding ${JSON.stringify(name)} already.`);
  }
  const reserved = ['embedding', 'index', 'optional'];
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string' && !reserved.includes(key))) {
    throw invalidArgument('embedding.keys', `a list of names other than ${reserved.join(', ')}`, keys);
  }
  if (typeof parse !== 'function') throw invalidArgument('embedding.parse', 'a function', parse);
  if (typeof fit !== 'function') throw invalidArgument('embedding.fit', 'a function', fit);
  byName.set(name, embedding as Embedding<never>);
}

/** The embedding of this name, or undefined: one of somebody's own may not be registered in this process. */
export function lookUpEmbedding(name: string): Embedding<never> | undefined {
  return byName.get(name);
}

/** @throws NighError INVALID_ARGUMENT naming `path` */
export function findEmbedding(name: string, path: string): Embedding<never> {
  const found = byName.get(name);
  if (found !== undefined) return found;
  const names = embeddingNames();
  const hint = didYouMean(name, names);
  throw new NighError(
    'INVALID_ARGUMENT',
    `${path}: expected one of ${names.map((known) => JSON.stringify(known)).join(', ')}, got ${JSON.stringify(name)}.${hint}`,
  );
}
