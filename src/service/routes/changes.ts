import { type Static, Type } from 'typebox';
import type { ItemFields } from '../../retrieval/live/item-fields.js';
import type { Changed, Changes } from '../changes/change.js';
import { idempotencyKey } from '../changes/idempotency-key.js';
import { CollectionPath, ItemPath, strict, UserPath } from '../parameters.js';
import { readPicture } from '../read-picture.js';
import { component } from '../schema-component.js';
import { responses } from '../schemas.js';
import type { ServiceApp } from '../type-provider.js';
import { messagePackType } from '../wire-format.js';

const consumes = ['application/json', messagePackType];
const write = { write: true } as const;
const headers = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description: 'Under what the change is known, 1 to 128 characters: sent again under it, it is not made again.',
      examples: ['import-17'],
    }),
  ),
});

const sequence = Type.Integer({ minimum: 0, description: 'Its place in the journal of the collection.' });
const Written = component(
  'Written',
  'A change that is durable, and seen by every later question.',
  Type.Object({ sequence }),
);
const Removed = component(
  'Removed',
  'A removal that is durable, and seen by every later question.',
  Type.Object({ sequence, existed: Type.Boolean({ description: 'Whether it was there.' }) }),
);
const Compacted = component(
  'Compacted',
  'What a compaction made.',
  Type.Object({ generation: Type.String({ description: 'The generation that holds what the journal held.' }) }),
);

const id = Type.String({ minLength: 1, maxLength: 1024 });

const Fields = Type.Object(
  {
    title: Type.Optional(
      Type.String({ minLength: 1, maxLength: 4096, description: 'Of a new item, its id where it is left out.' }),
    ),
    attributes: Type.Optional(
      Type.Unsafe<NonNullable<ItemFields['attributes']>>({
        type: 'object',
        description: 'All of its attributes, of the types that the collection has for them.',
        additionalProperties: {
          anyOf: [
            { type: 'string' },
            { type: 'number' },
            { type: 'boolean' },
            { type: 'array', items: { type: 'string' } },
          ],
        },
      }),
    ),
    vectors: Type.Optional(
      Type.Unsafe<Record<string, number[]>>({
        type: 'object',
        description: 'By space: its vector, where the space’s embedder is not to make one.',
        additionalProperties: { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 65_536 },
      }),
    ),
    image: Type.Optional(
      Type.String({ minLength: 1, description: 'Its picture in base64, for spaces of pictures. It is not stored.' }),
    ),
  },
  {
    ...strict,
    description: 'What the item is; what is left out stays as it was.',
    examples: [{ title: 'Toy Story (1995)', attributes: { genres: ['Animation', 'Comedy'], year: 1995 } }],
  },
);

const Interactions = Type.Object(
  {
    interactions: Type.Array(
      Type.Object(
        {
          user: id,
          item: id,
          value: Type.Optional(Type.Number({ description: 'How strongly, as in the dataset. Default 1.' })),
          timestamp: Type.Optional(Type.Number({ description: 'Unix seconds. Default: now.' })),
        },
        strict,
      ),
      { minItems: 1, maxItems: 10_000, description: 'What users did, in order. All are taken or none.' },
    ),
  },
  { ...strict, examples: [{ interactions: [{ user: '42', item: '1' }] }] },
);

/** What changes a collection: each answered once it is durable and this process answers by it. */
export function addChangeRoutes(app: ServiceApp, changes: Changes): void {
  app.route({
    method: 'PUT',
    url: '/collections/:collection/items/:item',
    config: write,
    schema: {
      tags: ['changes'],
      summary: 'Add an item, or put another in its place',
      operationId: 'upsertItem',
      params: Type.Object(ItemPath),
      querystring: Type.Object({}, strict),
      headers,
      consumes,
      body: Fields,
      response: responses('It is durable.', Written),
    },
    handler: async (request) => {
      const { collection, item } = request.params;
      const change = { kind: 'upsertItem', item, fields: fieldsOf(request.body) } as const;
      return sequenceOf(await changes.apply(collection, change, idempotencyKey(request)));
    },
  });

  app.route({
    method: 'DELETE',
    url: '/collections/:collection/items/:item',
    config: write,
    schema: {
      tags: ['changes'],
      summary: 'Remove an item from all answers',
      operationId: 'deleteItem',
      params: Type.Object(ItemPath),
      querystring: Type.Object({}, strict),
      headers,
      response: responses('It is durable.', Removed),
    },
    handler: async (request) => {
      const { collection, item } = request.params;
      const changed = await changes.apply(collection, { kind: 'deleteItem', item }, idempotencyKey(request));
      return { ...sequenceOf(changed), existed: changed.existed === true };
    },
  });

  app.route({
    method: 'POST',
    url: '/collections/:collection/interactions',
    config: write,
    schema: {
      tags: ['changes'],
      summary: 'What users did; their next recommendations go by it',
      operationId: 'addInteractions',
      params: Type.Object(CollectionPath),
      querystring: Type.Object({}, strict),
      headers,
      consumes,
      body: Interactions,
      response: responses('They are durable.', Written),
    },
    handler: async (request) => {
      const { interactions } = request.body;
      const change = { kind: 'addInteractions', interactions } as const;
      return sequenceOf(await changes.apply(request.params.collection, change, idempotencyKey(request)));
    },
  });

  app.route({
    method: 'DELETE',
    url: '/collections/:collection/users/:user',
    config: write,
    schema: {
      tags: ['changes'],
      summary: 'Forget a user: their interactions and what was learnt of them',
      operationId: 'forgetUser',
      params: Type.Object(UserPath),
      querystring: Type.Object({}, strict),
      headers,
      response: responses('It is durable.', Removed),
    },
    handler: async (request) => {
      const { collection, user } = request.params;
      const changed = await changes.apply(collection, { kind: 'forgetUser', user }, idempotencyKey(request));
      return { ...sequenceOf(changed), existed: changed.existed === true };
    },
  });

  app.route({
    method: 'POST',
    url: '/collections/:collection/compact',
    config: write,
    schema: {
      tags: ['changes'],
      summary: 'Fold the journal into a new generation, and serve that',
      operationId: 'compact',
      params: Type.Object(CollectionPath),
      querystring: Type.Object({}, strict),
      response: responses('It is served.', Compacted),
    },
    handler: async ({ params }) => {
      const { generation = '' } = await changes.apply(params.collection, { kind: 'compact' }, undefined);
      return { generation };
    },
  });
}

function fieldsOf({ image, ...fields }: Static<typeof Fields>): ItemFields {
  return image === undefined ? fields : { ...fields, image: readPicture(image, 'image') };
}

function sequenceOf({ sequence = 0 }: Changed): { sequence: number } {
  return { sequence };
}
