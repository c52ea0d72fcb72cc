import { Type } from 'typebox';
import type { Where } from '../retrieval/types.js';

/** What the routes are asked, as JSON Schema: validation, the handlers' types and the OpenAPI document at once. */

const longestId = 1024;

const id = (description: string, ...examples: string[]) =>
  Type.String({ minLength: 1, maxLength: longestId, description, ...(examples.length === 0 ? {} : { examples }) });

// The examples here and of the routes go together: they are answered by the demo collection `movies`.
export const CollectionPath = { collection: id('Name of a collection.', 'movies') };
export const ItemPath = {
  ...CollectionPath,
  item: id('Item id, percent-encoded: `@scope/name` is `%40scope%2Fname`.', '1'),
};
export const UserPath = { ...CollectionPath, user: id('User id, percent-encoded.', '42') };

const k = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 10_000, description: 'How many results. Default 10.', examples: [5] }),
);
const space = Type.Optional(
  Type.String({
    minLength: 1,
    description: 'Which space answers. Default: the first that can answer the question.',
    examples: ['cf'],
  }),
);
const whereText =
  'Which items may be returned: `year >= 1990 and not (genres has "Horror" or note exists)`. Default: all.';

/** What a question by path and one in a body share. */
const common = {
  k,
  space,
  exact: Type.Optional(
    Type.Boolean({
      description: 'Compare every item instead of searching the graph. Default false.',
      examples: [true],
    }),
  ),
  efSearch: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description: 'Pool size of the graph search: larger finds more of the true neighbours. Default: the recipe’s.',
      examples: [200],
    }),
  ),
  recall: Type.Optional(
    Type.Number({
      minimum: 0.0001,
      maximum: 0.9999,
      description: 'Instead of efSearch: the share of the true nearest that is wanted on average.',
      examples: [0.95],
    }),
  ),
  fusion: Type.Optional(
    Type.Enum(['sum', 'rrf'], {
      description: 'How the scores of several sources become one. Default sum.',
      examples: ['rrf'],
    }),
  ),
  minScore: Type.Optional(Type.Number({ description: 'Only items that score so much or more.', examples: [0.2] })),
  diversity: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'How much results keep apart, 0 being the order of the scores. Default 0.',
      examples: [0.3],
    }),
  ),
  popularity: Type.Optional(
    Type.Number({
      minimum: -1,
      maximum: 1,
      description:
        'Damps what is popular below 0, raises it above: over the whole catalogue for users of a space built with `popularity`, else among the candidates. Default 0.',
      examples: [-0.2],
    }),
  ),
  fallback: Type.Optional(
    Type.Boolean({
      description:
        'Whether other spaces, shared attributes, ratings or popularity answer where there is no vector. Default: unless a space is named. With true also for a user that is not known.',
      examples: [true],
    }),
  ),
  explain: Type.Optional(
    Type.Boolean({ description: 'Say why each result is there. Default false.', examples: [true] }),
  ),
};

/** The options of one search by path. */
export const SearchParameters = {
  ...common,
  where: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 8192,
      description: whereText,
      examples: ['year >= 1990 and not genres has "Horror"'],
    }),
  ),
  weights: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 4096,
      description: 'Blend spaces: `cf=0.7,text=0.3`.',
      examples: ['cf=0.7,text=0.3'],
    }),
  ),
};

/** The options of a search for users. */
export const UserSearchParameters = { k, space };

const Weights = (description: string) =>
  Type.Unsafe<Record<string, number>>({ type: 'object', description, additionalProperties: { type: 'number' } });

const Condition = Type.Unsafe<Where | string>({
  anyOf: [{ type: 'string', minLength: 1 }, { type: 'object' }],
  description: `${whereText} Or as an object: \`{ "year": { "gte": 1990 }, "not": { "genres": "Horror" } }\`.`,
});

/** The options of one search in a body: QueryOptions, but for `signal`. */
const BodyOptions = {
  ...common,
  where: Type.Optional(Condition),
  weights: Type.Optional(Weights('Blend spaces, or weigh the blocks of a space: `{ "cf": 0.7, "text": 0.3 }`.')),
  quotas: Type.Optional(Weights('The least share of the results by space of `weights`: `{ "image": 0.2 }`.')),
  missing: Type.Optional(
    Type.Enum(['zero', 'renormalise'], {
      description: 'What an item scores in a space that it lacks: nothing, or what the others say. Default zero.',
    }),
  ),
  candidates: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'How many candidates each source proposes at least.' }),
  ),
  allow: Type.Optional(
    Type.Array(id('Item id.'), { maxItems: 50_000, description: 'The only items that may be returned.' }),
  ),
  deny: Type.Optional(
    Type.Array(id('Item id.'), { maxItems: 50_000, description: 'Items that must not be returned.' }),
  ),
  perGroup: Type.Optional(
    Type.Object(
      { attribute: Type.String(), most: Type.Integer({ minimum: 1, maximum: 10_000 }) },
      { additionalProperties: false, description: 'At most so many results with the same value of an attribute.' },
    ),
  ),
  boosts: Type.Optional(
    Type.Array(
      Type.Object({ where: Condition, by: Type.Number({ minimum: -1, maximum: 1 }) }, { additionalProperties: false }),
      { maxItems: 100, description: 'What some items gain, where the best and the least candidate are 1 apart.' },
    ),
  ),
  recency: Type.Optional(
    Type.Object(
      {
        attribute: Type.String(),
        halfLife: Type.Number({ exclusiveMinimum: 0 }),
        weight: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
      },
      { additionalProperties: false, description: 'What new items gain: half as much for each half-life.' },
    ),
  ),
  explore: Type.Optional(
    Type.Object(
      {
        slots: Type.Integer({ minimum: 1, maximum: 10_000 }),
        seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffffffff })),
      },
      { additionalProperties: false, description: 'The last places go to items drawn by the seed.' },
    ),
  ),
  taste: Type.Optional(
    Type.Object(
      {
        neutral: Type.Optional(Type.Number()),
        dislikes: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
        halfLifeDays: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
      },
      { additionalProperties: false, description: 'How a past becomes a taste in spaces without user vectors.' },
    ),
  ),
};

export const ExcludeSeen = {
  excludeSeen: Type.Optional(
    Type.Boolean({ description: 'Leave out what the user already has. Default true.', examples: [false] }),
  ),
};

/** One question of `POST …/query`. */
export const Question = {
  item: Type.Optional(id('Items similar to this one.')),
  user: Type.Optional(id('Items that suit this user.')),
  history: Type.Optional(
    Type.Array(
      Type.Object(
        {
          item: id('Item id.'),
          weight: Type.Optional(
            Type.Number({
              minimum: -1e6,
              maximum: 1e6,
              not: { const: 0 },
              description: 'Confidence relative to one plain interaction; below 0 for what was disliked. Default 1.',
            }),
          ),
          timestamp: Type.Optional(
            Type.Number({ description: 'Unix seconds. What is older counts less where there is a half-life.' }),
          ),
        },
        { additionalProperties: false },
      ),
      {
        maxItems: 10_000,
        description:
          'Items that suit somebody, never seen before, who liked these. Empty: what is rated highest, or what most people have.',
      },
    ),
  ),
  vector: Type.Optional(
    Type.Array(Type.Number(), { minItems: 1, maxItems: 65_536, description: 'Items near to this vector of `space`.' }),
  ),
  text: Type.Optional(Type.String({ minLength: 1, maxLength: 8192, description: 'Items near to this text.' })),
  image: Type.Optional(
    Type.String({ minLength: 1, description: 'Items that look like this picture: PNG, JPEG, WebP or SVG, in base64.' }),
  ),
  ...BodyOptions,
  ...ExcludeSeen,
};

/** Refuses what is not listed. */
export const strict = { additionalProperties: false } as const;
