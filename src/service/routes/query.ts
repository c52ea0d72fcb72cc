import { type Static, Type } from 'typebox';
import { describe } from '../../core/errors.js';
import type { Answer as AnswerType } from '../../retrieval/types.js';
import { CollectionPath, Question, strict } from '../parameters.js';
import { InvalidRequest, problemOf } from '../problem.js';
import { clientGone } from '../request-signal.js';
import { Answer, Problem, responses } from '../schemas.js';
import type { ServedCollection, ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

const QuestionSchema = Type.Object(Question, strict);
type QuestionBody = Static<typeof QuestionSchema>;

const mostQuestions = 256;

const Body = Type.Object(
  {
    ...Question,
    queries: Type.Optional(
      Type.Array(QuestionSchema, {
        minItems: 1,
        maxItems: mostQuestions,
        description: 'Many questions in one call, instead of one beside this key.',
      }),
    ),
  },
  {
    ...strict,
    description: 'One question by exactly one of `item`, `user` and `history`; or `queries`, a list of such questions.',
    examples: [
      { item: '1', k: 5 },
      { history: [{ item: '1' }, { item: '50', weight: 2 }], k: 10 },
      { queries: [{ item: '1' }, { user: '42', excludeSeen: false }] },
    ],
  },
);

const Answers = Type.Object({
  answers: Type.Array(Type.Union([Answer, Type.Object({ problem: Problem })]), {
    description: 'One for every question, in their order: its answer, or why there is none.',
  }),
});

/** Any question, one or many in a call. */
export function addQueryRoutes(app: ServiceApp, collections: ServedCollections): void {
  app.route({
    method: 'POST',
    url: '/collections/:collection/query',
    schema: {
      tags: ['query'],
      summary: 'Similar items, a user’s recommendations, or recommendations for a newcomer’s likes',
      operationId: 'query',
      params: Type.Object(CollectionPath),
      querystring: Type.Object({}, strict),
      body: Body,
      response: responses('The answer; or the answers, in the order of the questions.', Type.Union([Answer, Answers])),
    },
    // A union costs the generated serialiser a validation of every answer; JSON.stringify does not ask.
    serializerCompiler: () => JSON.stringify,
    handler: async ({ params, body, id }, reply) => {
      const collection = collections.get(params.collection);
      const signal = clientGone(reply);
      const { queries, ...question } = body;
      if (queries === undefined) return ask(collection, question, 'body', signal);
      if (Object.keys(question).length > 0) {
        throw refusal('queries', 'to stand alone, each entry with its own options', Object.keys(question).join(', '));
      }
      const answers = queries.map((each, at) =>
        ask(collection, each, `queries[${at}]`, signal).catch((error: unknown) => ({ problem: problemOf(error, id) })),
      );
      return { answers: await Promise.all(answers) };
    },
  });
}

async function ask(
  collection: ServedCollection,
  { item, user, history, excludeSeen, ...options }: QuestionBody,
  path: string,
  signal: AbortSignal,
): Promise<AnswerType> {
  const search = { ...options, signal };
  const given = Object.entries({ item, user, history }).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const names = given.map(([name]) => name).join(' and ');
    throw refusal(path, 'exactly one of item, user and history', names === '' ? 'none of them' : names);
  }
  if (item !== undefined) {
    if (excludeSeen !== undefined) {
      throw refusal(`${path === 'body' ? '' : `${path}.`}excludeSeen`, 'nothing beside item', describe(excludeSeen));
    }
    return collection.similarItems(item, search);
  }
  const recommend = excludeSeen === undefined ? search : { ...search, excludeSeen };
  return user !== undefined ? collection.recommend(user, recommend) : collection.recommendFor(history ?? [], recommend);
}

function refusal(parameter: string, expected: string, got: string): InvalidRequest {
  const message = `${parameter}: expected ${expected}, got ${got}.`;
  return new InvalidRequest('INVALID_ARGUMENT', message, [{ in: 'body', parameter, expected, got }]);
}
