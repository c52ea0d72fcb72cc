import { type Static, type TSchema, Type } from 'typebox';
import { attributes, component, components, count } from './schema-component.js';
import { messagePackProblemType, messagePackType } from './wire-format.js';

/**
 * What the service answers, as JSON Schema: one source for serialisation, the handlers' types and the OpenAPI document. They
 * mirror retrieval/types.ts; serialisation drops what is not listed here, so a test compares an answer with the library's.
 */

/** One item of the catalogue. */
export const Item = component(
  'Item',
  'One item of the catalogue.',
  Type.Object({
    id: Type.String(),
    title: Type.String(),
    attributes,
    picture: Type.Optional(Type.Literal(true, { description: 'The collection has a picture of it.' })),
    interactions: count('How many users interacted with it.'),
    spaces: Type.Array(Type.String(), { description: 'The spaces in which it has a vector.' }),
  }),
);

const IndexInfo = component(
  'IndexInfo',
  'One vector index of a space.',
  Type.Object({
    kind: Type.Enum(['flat', 'hnsw', 'hnswlib', 'sparse', 'pgvector']),
    metric: Type.Enum(['l2', 'ip', 'cosine', 'l1', 'chebyshev', 'hamming', 'jaccard']),
    dim: count(),
    count: count('Vectors.'),
    fileBytes: count(),
    recallAt10: Type.Number({ description: 'Mean recall@10 against exact search, measured when the index was built.' }),
    queries: count('Over how many sampled queries it was measured.'),
  }),
);

const SpaceInfo = component(
  'SpaceInfo',
  'One named embedding of the items.',
  Type.Object({
    name: Type.String(),
    embedding: Type.String({ description: 'What made the vectors: `als`, `tfidf`, …' }),
    dim: count(),
    items: count('Items that have a vector here.'),
    users: count('Users that have a vector here.'),
    similar: IndexInfo,
    recommend: Type.Optional(IndexInfo),
    blocks: Type.Optional(
      Type.Array(
        Type.Object({
          name: Type.String(),
          weight: Type.Number({ description: 'Its share of the likeness; the shares of a space sum to 1.' }),
          dim: count(),
        }),
        { description: 'What the vectors are made of, side by side; absent where they are of one piece.' },
      ),
    ),
    popularity: Type.Optional(
      Type.Object(
        { scale: Type.Number() },
        { description: 'Present where `popularity` damps or raises what is popular over the whole catalogue.' },
      ),
    ),
    notes: Type.Optional(
      Type.Unsafe<Record<string, number | string>>({
        type: 'object',
        description: 'What the embedding noted of itself when it was fitted: numbers and texts.',
        additionalProperties: true,
      }),
    ),
  }),
);

/** What a collection holds. */
export const CollectionInfo = component(
  'CollectionInfo',
  'What a collection holds, and how well it was measured.',
  Type.Object({
    name: Type.String(),
    title: Type.String(),
    description: Type.String(),
    generation: Type.String(),
    createdAt: Type.String(),
    dataset: Type.Object({ name: Type.String(), licence: Type.String(), source: Type.String() }),
    items: count(),
    users: count(),
    interactions: count(),
    recallFloor: Type.Number({ description: 'Recall@10 below which a build does not go live.' }),
    taste: Type.Optional(
      Type.Object(
        {
          neutral: Type.Optional(Type.Number()),
          dislikes: Type.Optional(Type.Number({ minimum: 0 })),
          halfLifeDays: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
        },
        { description: "How a user's past becomes a taste in spaces without user vectors." },
      ),
    ),
    pictures: Type.Optional(count('Items that have a picture.')),
    spaces: Type.Array(SpaceInfo),
    leftOut: Type.Optional(
      Type.Array(Type.Object({ name: Type.String(), embedding: Type.String(), needs: Type.String() }), {
        description: 'Optional spaces that were not built, and what would have had to be downloaded for each.',
      }),
    ),
    bytesOnDisk: count(),
    buildSeconds: Type.Number({ minimum: 0 }),
  }),
);

/** An error, after RFC 9457. */
export const Problem = component(
  'Problem',
  'An error, after RFC 9457.',
  Type.Object({
    type: Type.String({ description: 'URN of the code.' }),
    title: Type.String({ description: 'What the code means.' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'What went wrong here.' }),
    code: Type.String({ description: 'Stable code, safe to branch on.' }),
    instance: Type.Optional(
      Type.String({ description: 'URN of the request; its end is the `x-request-id` in the log.' }),
    ),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          in: Type.Enum(['path', 'query', 'body', 'headers']),
          parameter: Type.String(),
          expected: Type.String(),
          got: Type.String(),
        }),
        { description: 'Every parameter that was refused, at most eight.' },
      ),
    ),
  }),
);

/** An error, after RFC 9457. */
export type Problem = Static<typeof Problem>;

/** Every schema with a name, to be registered before the routes that refer to it. */
export const namedSchemas: readonly (TSchema & { $id: string })[] = components;

/** The `response` of a route: its success, and problem documents for the rest. */
export function responses<Success extends TSchema>(description: string, success: Success) {
  return {
    200: {
      description,
      content: { 'application/json': { schema: success }, [messagePackType]: { schema: success } },
    },
    ...problemResponses,
  };
}

/** The rest of a `response`, for a route whose success is neither of the two forms. */
export const problemResponses = {
  '4xx': problemResponse('The request was refused.'),
  '5xx': problemResponse('The service could not answer.'),
};

function problemResponse(description: string) {
  return {
    description,
    content: { 'application/problem+json': { schema: Problem }, [messagePackProblemType]: { schema: Problem } },
  };
}
