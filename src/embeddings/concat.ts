/**
 * The embedding `concat`: other spaces of the recipe side by side, at unit length and weighted, so that the likeness of two items is
 * Σ w_b cos_b (blocks.ts says what becomes of a space in which one of them has no vector, and how a question asks with other weights).
 * The spaces are fitted before.
 *
 * Of a space that is compared by sparse rows it takes the dense vectors (LSA), of any other what its items are compared by.
 */
import { describe, NighError } from '../core/errors.js';
import { joinPath, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import { type Block, blockWeights, composeBlocks, composeVector, readBlockWeights, toShares } from './blocks.js';
import type { Embedder, Embedding, FitContext, FittedSpace } from './embedding.js';
import { ModelReader } from './model-reader.js';

const schema = {
  /** Names of other spaces, and what each weighs: `{ "text": 0.6, "image": 0.4 }`. Only the ratios count. */
  of: blockWeights,
};

export type ConcatParams = ParamsOf<typeof schema>;

export const concat: Embedding<ConcatParams> = {
  name: 'concat',
  keys: Object.keys(schema),
  schema,
  parse(given, path) {
    const params = readParams(schema, given, path);
    for (const [space, weight] of Object.entries(params.of)) {
      if (weight > 0) continue;
      const at = joinPath(joinPath(path, 'of'), space);
      throw new NighError('INVALID_ARGUMENT', `${at}: expected a weight above 0, got ${describe(weight)}.`);
    }
    return params;
  },
  uses: ({ of }) => Object.keys(of),
  fit,
  openEmbedder,
};

async function fit(dataset: Dataset, { of }: ConcatParams, { spaces }: FitContext): Promise<FittedSpace> {
  const shares = toShares(of);
  const parts = Object.keys(of).map((name) => {
    const space = spaces?.get(name);
    if (space === undefined) {
      throw new NighError('INVALID_ARGUMENT', `of.${name}: the space ${name} was not fitted before.`);
    }
    return { matrix: space.likeness ?? space.items.matrix, ordinals: space.items.ordinals };
  });
  const blocks = Object.keys(of).map((name, b): Block => ({ name, weight: shares[name]!, dim: parts[b]!.matrix.dim }));
  const { vectors, coverage } = composeBlocks(blocks, parts, dataset.items.size);
  return {
    items: vectors,
    likeness: vectors.matrix,
    blocks,
    model: { of, dims: Float32Array.from(blocks, ({ dim }) => dim) },
    notes: {
      ...Object.fromEntries(Object.entries(coverage).map(([name, count]) => [`itemsWith.${name}`, count])),
      withoutVector: dataset.items.size - vectors.ordinals.length,
    },
  };
}

/** Asks the embedders of the spaces. One whose vectors are of another length than its block cannot take part: of sparse rows. */
async function openEmbedder(
  stored: Readonly<Record<string, unknown>>,
  openSpace?: (name: string) => Promise<Embedder>,
): Promise<Embedder> {
  const reader = new ModelReader('concat', stored);
  const of = reader.parsed('of', readBlockWeights);
  const shares = toShares(of);
  const names = Object.keys(of);
  const dims = reader.floats('dims', names.length);
  const blocks = names.map((name, b): Block => ({ name, weight: shares[name]!, dim: dims[b]! }));
  if (openSpace === undefined) {
    throw new NighError(
      'UNSUPPORTED',
      `concat: content is placed by the embedders of ${names.join(', ')}; none was given.`,
    );
  }
  const opened: Embedder[] = [];
  const close = async () => {
    for (const embedder of opened) await embedder.close?.();
  };
  try {
    for (const { name, dim } of blocks) {
      const embedder = await openSpace(name);
      opened.push(embedder);
      if (embedder.dim === dim) continue;
      throw new NighError(
        'UNSUPPORTED',
        `concat: the embedder of ${name} makes vectors of ${embedder.dim} values, not ${dim}.`,
      );
    }
  } catch (cause) {
    await close();
    throw cause;
  }
  return {
    dim: blocks.reduce((sum, { dim }) => sum + dim, 0),
    embed: async (content, signal) =>
      composeVector(blocks, await Promise.all(opened.map((embedder) => embedder.embed(content, signal)))),
    close,
  };
}
