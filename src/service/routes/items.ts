import { Type } from 'typebox';
import { Answer } from '../answer-schemas.js';
import { CollectionPath, ItemPath, SearchParameters, strict } from '../parameters.js';
import { requestSignal } from '../request-signal.js';
import { Item, responses } from '../schemas.js';
import { searchOptions } from '../search-options.js';
import type { ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

const tags = ['items'];

/** Items, and items like them. */
export function addItemRoutes(app: ServiceApp, collections: ServedCollections, deadlineMs: number): void {
  app.route({
    method: 'GET',
    url: '/collections/:collection/items',
    schema: {
      tags,
      summary: 'Find items by the start or the words of their title',
      operationId: 'findItems',
      params: Type.Object(CollectionPath),
      querystring: Type.Object(
        {
          query: Type.Optional(
            Type.String({
              maxLength: 256,
              description: 'Start of a title, or words of it. Default: every item.',
              examples: ['toy'],
            }),
          ),
          limit: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 100,
              description: 'At most so many items. Default 20.',
              examples: [5],
            }),
          ),
        },
        strict,
      ),
      response: responses(
        'What was found.',
        Type.Object({
          items: Type.Array(Item, {
            description: 'Titles that start with the query, then those with all its words; the most used first.',
          }),
        }),
      ),
    },
    handler: async ({ params, query }) => {
      const { query: words = '', limit = 20 } = query;
      return { items: collections.get(params.collection).findItems(words, { limit }) };
    },
  });

  app.route({
    method: 'GET',
    url: '/collections/:collection/items/:item',
    schema: {
      tags,
      summary: 'One item',
      operationId: 'getItem',
      params: Type.Object(ItemPath),
      querystring: Type.Object({}, strict),
      response: responses('The item.', Item),
    },
    handler: async ({ params }) => collections.get(params.collection).item(params.item),
  });

  app.route({
    method: 'GET',
    url: '/collections/:collection/items/:item/similar',
    schema: {
      tags,
      summary: 'Items like this one',
      operationId: 'similarItems',
      params: Type.Object(ItemPath),
      querystring: Type.Object(SearchParameters, strict),
      response: responses('The answer.', Answer),
    },
    handler: ({ params, query }, reply) =>
      collections.ask(params.collection, (collection) =>
        collection.similarItems(params.item, { ...searchOptions(query), signal: requestSignal(reply, deadlineMs) }),
      ),
  });
}
