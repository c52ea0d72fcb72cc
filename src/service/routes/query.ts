import { type Static, Type } from 'typebox';
import { describe } from '../../core/errors.js';
import type { Answer as AnswerType } from '../../retrieval/types.js';
import { Answer } from '../answer-schemas.js';
import { CollectionPath, Question, strict } from '../parameters.js';
import { InvalidRequest, problemOf } from '../problem.js';
import { readPicture } from '../read-picture.js';
import { requestSignal } from '../request-signal.js';
import { Problem, responses } from '../schemas.js';
import type { ServedCollection, ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';
import { messagePackType } from '../wire-format.js';

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
    description:
      'One question by `item`, `user`, `history`, `vector`, `text` or `image`, or by several of them together; or `queries`, a list of such questions.',
    examples: [
      { item: '1', k: 5 },
      { history: [{ item: '1' }, { item: '50', weight: 2 }], k: 10 },
      { user: '42', text: 'a heist', weights: { cf: 0.7, text: 0.3 }, where: { year: { gte: 1990 } }, diversity: 0.3 },
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
export function addQueryRoutes(app: ServiceApp, collections: ServedCollections, deadlineMs: number): void {
  app.route({
    method: 'POST',
    url: '/collections/:collection/query',
    schema: {
      tags: ['query'],
      summary: 'Items by item, user, history, vector, text or picture, one question or many',
      operationId: 'query',
      params: Type.Object(CollectionPath),
      querystring: Type.Object({}, strict),
      consumes: ['application/json', messagePackType],
      body: Body,
      response: responses('The answer; or the answers, in the order of the questions.', Type.Union([Answer, Answers])),
    },
    // A union costs the generated serialiser a validation of every answer; JSON.stringify does not ask.
    serializerCompiler: () => JSON.stringify,
    handler: async ({ params, body, id }, reply) => {
      const signal = requestSignal(reply, deadlineMs);
      const { queries, ...question } = body;
      const ask = (each: QuestionBody, path: string) =>
        collections.ask(params.collection, (collection) => answerTo(collection, each, path, signal));
      if (queries === undefined) return ask(question, 'body');
      if (Object.keys(question).length > 0) {
        throw refusal('queries', 'to stand alone, each entry with its own options', Object.keys(question).join(', '));
      }
      const answers = queries.map((each, at) =>
        ask(each, `queries[${at}]`).catch((error: unknown) => ({ problem: problemOf(error, id) })),
      );
      return { answers: await Promise.all(answers) };
    },
  });
}

async function answerTo(
  collection: ServedCollection,
  { image, ...question }: QuestionBody,
  path: string,
  signal: AbortSignal,
): Promise<AnswerType> {
  const within = (name: string) => (path === 'body' ? name : `${path}.${name}`);
  const { item, excludeSeen } = question;
  const others = [question.user, question.history, question.vector, question.text, image];
  const isAlone = others.every((part) => part === undefined);
  if (item === undefined && isAlone) {
    throw refusal(path, 'at least one of item, user, history, vector, text and image', 'none of them');
  }
  if (item !== undefined && isAlone && excludeSeen !== undefined) {
    throw refusal(within('excludeSeen'), 'nothing beside item', describe(excludeSeen));
  }
  return collection.query({
    ...question,
    signal,
    ...(image === undefined ? {} : { image: readPicture(image, within('image')) }),
  });
}

function refusal(parameter: string, expected: string, got: string): InvalidRequest {
  const message = `${parameter}: expected ${expected}, got ${got}.`;
  return new InvalidRequest('INVALID_ARGUMENT', message, [{ in: 'body', parameter, expected, got }]);
}
