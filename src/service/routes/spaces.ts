import { Type } from 'typebox';
import { NighError } from '../../core/errors.js';
import { CollectionPath, strict } from '../parameters.js';
import { component, count } from '../schema-component.js';
import { responses } from '../schemas.js';
import type { ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

const Point = Type.Object({
  id: Type.String(),
  title: Type.String(),
  x: Type.Number(),
  y: Type.Number(),
  score: Type.Optional(Type.Number({ description: 'Of a neighbour.' })),
});

const SpaceMap = Type.Object({
  space: Type.String(),
  explained: Type.Number({ description: 'The share of the sample’s variance that the plane shows.' }),
  points: Type.Array(Point, { description: 'A sample of the space’s items.' }),
  item: Type.Optional(Point),
  neighbours: Type.Array(Point, { description: 'The nearest of the item, nearest first.' }),
  links: Type.Optional(
    Type.Array(Type.Unsafe<readonly [number, number]>({ type: 'array', items: { type: 'integer' } }), {
      description:
        'Pairs of places in `points`, then `item`, then `neighbours`, that are near to each other in the space.',
    }),
  ),
});

const Efforts = component(
  'Efforts',
  'Recall against time of a space’s index, measured on a sample of its items.',
  Type.Object({
    space: Type.String(),
    k: count(),
    queries: count('Items that were asked for.'),
    exactMicros: Type.Number({ description: 'Microseconds of an exact search.' }),
    efSearch: Type.Optional(Type.Integer({ minimum: 1, description: 'The recipe’s pool size.' })),
    efforts: Type.Array(
      Type.Object({
        efSearch: Type.Integer({ minimum: 1 }),
        recall: Type.Number({ description: 'Mean recall@k.' }),
        visited: Type.Number({ minimum: 0, description: 'Rows reached by a search, on average.' }),
        micros: Type.Number({ minimum: 0, description: 'Microseconds of a search, on one thread.' }),
      }),
      { description: 'By pool size, ascending.' },
    ),
  }),
);

const SpacePath = {
  ...CollectionPath,
  space: Type.String({ minLength: 1, description: 'Name of a space.', examples: ['cf'] }),
};

/** What there is to see of a space: a map, and what effort buys. */
export function addSpaceRoutes(app: ServiceApp, collections: ServedCollections): void {
  app.route({
    method: 'GET',
    url: '/collections/:collection/spaces/:space/map',
    schema: {
      tags: ['collections'],
      summary: 'A space on a plane: a sample of its items, and one with its neighbours',
      operationId: 'mapSpace',
      params: Type.Object(SpacePath),
      querystring: Type.Object(
        {
          item: Type.Optional(
            Type.String({ minLength: 1, maxLength: 1024, description: 'Id of an item to show.', examples: ['1'] }),
          ),
          links: Type.Optional(
            Type.Boolean({
              description: 'Also which points are near to each other. Default false.',
              examples: [true],
            }),
          ),
        },
        strict,
      ),
      response: responses('The map.', SpaceMap),
    },
    handler: ({ params, query }) =>
      collections.use(params.collection, async (collection) => {
        if (collection.mapSpace === undefined) {
          throw new NighError('UNSUPPORTED', `The collection ${params.collection} has no maps.`);
        }
        return collection.mapSpace(params.space, query.item, { links: query.links === true });
      }),
  });

  app.route({
    method: 'GET',
    url: '/collections/:collection/spaces/:space/efforts',
    schema: {
      tags: ['collections'],
      summary: 'Recall against time of a space’s index at several pool sizes, measured when it is first asked for',
      operationId: 'measureEfforts',
      params: Type.Object(SpacePath),
      querystring: Type.Object({}, strict),
      response: responses('What was measured.', Efforts),
    },
    handler: ({ params }) =>
      collections.use(params.collection, async (collection) => {
        if (collection.measureEfforts === undefined) {
          throw new NighError('UNSUPPORTED', `The collection ${params.collection} cannot be measured.`);
        }
        return collection.measureEfforts(params.space);
      }),
  });
}
