import { Type } from 'typebox';
import { attributes, component, count } from './schema-component.js';

/** The list answers of the service, as JSON Schema. Mirrors retrieval/types.ts, as schemas.ts does. */

const numbersByName = (description: string) =>
  Type.Unsafe<Record<string, number>>({ type: 'object', description, additionalProperties: { type: 'number' } });

const part = Type.Optional(
  Type.Enum(['item', 'user', 'history', 'vector', 'text', 'image'], { description: 'The part of the question.' }),
);
const plan = Type.Enum(['scan', 'allowed-scan', 'graph', 'filtered-graph', 'two-hop-graph'], {
  description:
    '`scan` compared every row, `allowed-scan` every row that may be returned, the others went through a graph.',
});

const ResultExplanation = component(
  'ResultExplanation',
  'Why a result is there.',
  Type.Object({
    sources: Type.Array(Type.Object({ source: Type.String(), part, rank: count('From 1.'), score: Type.Number() }), {
      description: 'Who proposed it, at which place.',
    }),
    scores: numbersByName('Its score in every space that has a vector for the question and for it.'),
    nearest: Type.Array(Type.Object({ id: Type.String(), title: Type.String(), likeness: Type.Number() }), {
      description: 'Which of the items that were liked it is most like.',
    }),
    adjustments: Type.Optional(
      Type.Object(
        {
          relevance: Type.Number(),
          popularity: Type.Number(),
          boosts: Type.Number(),
          recency: Type.Number(),
        },
        { description: 'What re-ranking went by.' },
      ),
    ),
  }),
);

const Result = component(
  'Result',
  'One entry of an answer.',
  Type.Object({
    id: Type.String({ description: 'Item id.' }),
    score: Type.Number({
      description: 'Larger is better: a likeness of at most 1 for similar items, the model’s own score otherwise.',
    }),
    likeness: Type.Number({ description: 'The score from 0 to 1, for display.' }),
    title: Type.String(),
    attributes,
    picture: Type.Optional(Type.Literal(true, { description: 'The collection has a picture of it.' })),
    sources: Type.Optional(Type.Array(Type.String(), { description: 'Who proposed it, where several were asked.' })),
    explored: Type.Optional(Type.Boolean({ description: 'Drawn for an exploration slot.' })),
    explanation: Type.Optional(ResultExplanation),
  }),
);

const AnswerStats = component(
  'AnswerStats',
  'How an answer was found.',
  Type.Object({
    plan,
    space: Type.String({ description: 'The space that answered; several are joined by `+`.' }),
    visited: count('Rows reached.'),
    distances: count('Distances computed.'),
    exact: Type.Boolean({ description: 'Whether every row that may be returned was compared.' }),
    sources: Type.Optional(
      Type.Array(
        Type.Object({
          source: Type.String(),
          part,
          weight: Type.Number({ description: 'Its share of the score.' }),
          plan,
          visited: count(),
          distances: count(),
          candidates: count('How many it proposed.'),
        }),
        { description: 'What each source did, where there were several.' },
      ),
    ),
    fallback: Type.Optional(
      Type.Object(
        {
          to: Type.Enum(['space', 'content', 'weightedRating', 'popularity']),
          passedOver: Type.Array(Type.String(), { description: 'Spaces that have no vector for the question.' }),
        },
        { description: 'Where another source answered than the one that was asked first.' },
      ),
    ),
    generation: Type.String({ description: 'The generation of the collection that answered.' }),
    stages: Type.Object(
      {
        question: Type.Number(),
        candidates: Type.Number(),
        scoring: Type.Number(),
        reranking: Type.Number(),
        filtering: Type.Number(),
      },
      { description: 'Milliseconds of each stage.' },
    ),
    tookMs: Type.Number({ minimum: 0, description: 'Milliseconds for the search, without HTTP.' }),
  }),
);

const AnswerExplanation = component(
  'AnswerExplanation',
  'What was left out of an answer, and why.',
  Type.Object({
    filtered: Type.Array(
      Type.Object({
        id: Type.String(),
        title: Type.String(),
        source: Type.String(),
        score: Type.Number(),
        because: Type.Enum(['hidden', 'seen', 'deny', 'allow', 'where', 'minScore', 'perGroup']),
      }),
    ),
    candidates: count('How many were scored.'),
  }),
);

/** A list answer. */
export const Answer = component(
  'Answer',
  'A list answer, the same object as the library’s and that of `--json`.',
  Type.Object({
    results: Type.Array(Result, { description: 'min(k, number of matching items) of them, best first.' }),
    stats: AnswerStats,
    explanation: Type.Optional(AnswerExplanation),
  }),
);

/** Users like a user. */
export const SimilarUsers = component(
  'SimilarUsers',
  'Users like a user.',
  Type.Object({
    results: Type.Array(
      Type.Object({ id: Type.String({ description: 'User id.' }), score: Type.Number({ description: 'Cosine.' }) }),
      { description: 'min(k, other users with a vector) of them, best first.' },
    ),
    stats: Type.Object({
      plan,
      space: Type.String({ description: 'The space whose user vectors were compared.' }),
      visited: count(),
      distances: count(),
      exact: Type.Boolean(),
      generation: Type.String(),
      tookMs: Type.Number({ minimum: 0 }),
    }),
  }),
);
