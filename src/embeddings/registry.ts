/** Every embedding that a recipe can name. A new one is one file and one line here. */
import { NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { als } from './als.js';
import { concat } from './concat.js';
import type { Embedding } from './embedding.js';
import { features } from './features/features.js';
import { glove } from './glove.js';
import { image } from './image/image.js';
import { mf } from './mf.js';
import { onnxText } from './onnx-text/onnx-text.js';
import { precomputed } from './precomputed.js';
import { tfidf } from './tfidf.js';

/** The parameters' types differ from one to the next; each is handed only what its own `parse` made. */
const embeddings: readonly Embedding<never>[] = [
  als as Embedding<never>,
  concat as Embedding<never>,
  features as Embedding<never>,
  glove as Embedding<never>,
  image as Embedding<never>,
  mf as Embedding<never>,
  onnxText as Embedding<never>,
  precomputed as Embedding<never>,
  tfidf as Embedding<never>,
];

const byName = new Map(embeddings.map((embedding) => [embedding.name, embedding]));

/** The names, for messages and schemas. */
export const embeddingNames: readonly string[] = [...byName.keys()];

/** @throws NighError INVALID_ARGUMENT naming `path` */
export function findEmbedding(name: string, path: string): Embedding<never> {
  const found = byName.get(name);
  if (found !== undefined) return found;
  const hint = didYouMean(name, byName.keys());
  throw new NighError(
    'INVALID_ARGUMENT',
    `${path}: expected one of ${embeddingNames.map((known) => JSON.stringify(known)).join(', ')}, got ${JSON.stringify(name)}.${hint}`,
  );
}
