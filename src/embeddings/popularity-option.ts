/** The parameter `popularity` of embeddings whose users have vectors: one more dimension, by which a question damps or raises what is popular. */
import { gatherRows, type Matrix, row, zeros } from '../core/matrix.js';
import { flag, type ParamsOf, readParams } from '../core/params.js';
import type { Embedder, Embedding, FittedSpace } from './embedding.js';
import { ModelReader } from './model-reader.js';
import { firstColumns, withLast, withPopularity } from './popularity.js';
import { squaredLength } from './trained-rows.js';

const schema = {
  /** Adds a dimension by which a question can damp or raise what is popular over the whole catalogue: popularity.ts. */
  popularity: flag({ default: false }),
};

export type PopularityParams = ParamsOf<typeof schema>;

/** The embedding with the parameter. Without it, and with it false, nothing differs. */
export function withPopularityOption<P extends object>(embedding: Embedding<P>): Embedding<P & PopularityParams> {
  const { openFolder, openAudienceFolder, openEmbedder } = embedding;
  return {
    ...embedding,
    keys: [...embedding.keys, ...Object.keys(schema)],
    ...(embedding.schema && { schema: { ...embedding.schema, ...schema } }),
    parse: ({ popularity, ...params }, path) => ({
      ...embedding.parse(params, path),
      ...readParams(schema, { popularity }, path),
    }),
    fit: async (dataset, params, context) => {
      const fitted = await embedding.fit(dataset, params, context);
      // Of all interactions, as whoever asks counts them.
      return params.popularity ? lengthened(fitted, dataset.interactions.columnCounts()) : fitted;
    },
    ...(openFolder && {
      openFolder: (model) => {
        const fold = openFolder(model);
        if (model.popularity !== true) return fold;
        return async (history) =>
          Float32Array.of(...(await fold({ ...history, vectors: shortened(history.vectors) })), 0);
      },
    }),
    ...(openAudienceFolder && {
      openAudienceFolder: (model) => {
        const fold = openAudienceFolder(model);
        if (model.popularity !== true) return fold;
        const scale = new ModelReader(embedding.name, model).number('popularityScale');
        return async (audience, content) => {
          const vector = await fold({ ...audience, vectors: shortened(audience.vectors) }, content);
          const chosenBy = audience.weights.reduce((count, weight) => (weight > 0 ? count + 1 : count), 0);
          return Float32Array.of(...vector, scale * Math.log1p(chosenBy));
        };
      },
    }),
    ...(openEmbedder && {
      openEmbedder: async (model, openSpace) => {
        const embedder = await openEmbedder(model, openSpace);
        return model.popularity === true ? unchosen(embedder) : embedder;
      },
    }),
  };
}

function lengthened(fitted: FittedSpace, counts: Uint32Array): FittedSpace {
  const { items, users, likeness, model, notes } = fitted;
  const { items: longer, popularity } = withPopularity(items, counts);
  return {
    ...fitted,
    items: longer,
    popularity,
    // Items are compared as they would be without.
    likeness: likeness ?? directions(items.matrix),
    ...(users && { users: { ...users, matrix: withLast(users.matrix, () => 0) } }),
    model: { ...model, popularity: true, popularityScale: popularity.scale },
    notes: { ...notes, popularityScale: popularity.scale },
  };
}

/** At unit length, so that the inner product is the cosine. */
function directions(matrix: Matrix): Matrix {
  const out = gatherRows(
    matrix,
    Uint32Array.from({ length: matrix.rows }, (_, r) => r),
  );
  for (let r = 0; r < out.rows; r++) {
    const length = Math.sqrt(squaredLength(matrix, r)) || 1;
    const own = row(out, r);
    for (let d = 0; d < own.length; d++) own[d] = own[d]! / length;
  }
  return out;
}

/** Without the dimension; what has none, as the vectors of a space without users, stays as it is. */
function shortened(matrix: Matrix): Matrix {
  return matrix.dim > 1 ? firstColumns(matrix, matrix.dim - 1) : zeros(matrix.rows, matrix.dim);
}

/** Content that nobody has chosen yet. */
function unchosen(embedder: Embedder): Embedder {
  return {
    dim: embedder.dim,
    embed: (...args) => embedder.embed(...args),
    embedForUsers: async (...args) => {
      const vector = await (embedder.embedForUsers ?? embedder.embed).apply(embedder, args);
      return vector && Float32Array.of(...vector, 0);
    },
    close: async () => embedder.close?.(),
  };
}
