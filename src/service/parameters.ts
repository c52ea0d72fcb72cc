import { Type } from 'typebox';

/** What the routes are asked, as JSON Schema: validation, the handlers' types and the OpenAPI document at once. */

const longestId = 1024;

const id = (description: string) => Type.String({ minLength: 1, maxLength: longestId, description });

export const CollectionPath = { collection: id('Name of a collection.') };
export const ItemPath = {
  ...CollectionPath,
  item: id('Item id, percent-encoded: `@scope/name` is `%40scope%2Fname`.'),
};
export const UserPath = { ...CollectionPath, user: id('User id, percent-encoded.') };

/** The options of one search: QueryOptions, but for `deny` and `signal`. */
export const SearchParameters = {
  k: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'How many results. Default 10.' })),
  space: Type.Optional(
    Type.String({ minLength: 1, description: 'Which space answers. Default: the first that can answer the question.' }),
  ),
  exact: Type.Optional(
    Type.Boolean({ description: 'Compare every item instead of searching the graph. Default false.' }),
  ),
  efSearch: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description: 'Pool size of the graph search: larger finds more of the true neighbours. Default: the recipe’s.',
    }),
  ),
};

export const ExcludeSeen = {
  excludeSeen: Type.Optional(Type.Boolean({ description: 'Leave out what the user already has. Default true.' })),
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
              exclusiveMinimum: 0,
              maximum: 1e6,
              description: 'Confidence relative to one plain interaction. Default 1.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 10_000, description: 'Items that suit somebody, never seen before, who liked these.' },
    ),
  ),
  ...SearchParameters,
  ...ExcludeSeen,
  deny: Type.Optional(
    Type.Array(id('Item id.'), { maxItems: 50_000, description: 'Items that must not be returned.' }),
  ),
};

/** Refuses what is not listed. */
export const strict = { additionalProperties: false } as const;
