import { Type } from 'typebox';
import { NighError } from '../../core/errors.js';
import { CollectionPath, strict } from '../parameters.js';
import { responses } from '../schemas.js';
import type { ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

const Point = Type.Object({ id: Type.String(), title: Type.String(), x: Type.Number(), y: Type.Number() });

const SpaceMap = Type.Object({
  space: Type.String(),
  explained: Type.Number({ description: 'The share of the sample’s variance that the plane shows.' }),
  points: Type.Array(Point, { description: 'A sample of the space’s items.' }),
  item: Type.Optional(Point),
  neighbours: Type.Array(Point, { description: 'The nearest of the item, nearest first.' }),
});

/** A space on a plane, to be looked at. */
export function addMapRoute(app: ServiceApp, collections: ServedCollections): void {
  app.route({
    method: 'GET',
    url: '/collections/:collection/spaces/:space/map',
    schema: {
      tags: ['collections'],
      summary: 'A space on a plane: a sample of its items, and one with its neighbours',
      operationId: 'mapSpace',
      params: Type.Object({
        ...CollectionPath,
        space: Type.String({ minLength: 1, description: 'Name of a space.' }),
      }),
      querystring: Type.Object(
        { item: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'Id of an item to show.' })) },
        strict,
      ),
      response: responses('The map.', SpaceMap),
    },
    handler: ({ params, query }) =>
      collections.use(params.collection, async (collection) => {
        if (collection.mapSpace === undefined) {
          throw new NighError('UNSUPPORTED', `The collection ${params.collection} has no maps.`);
        }
        return collection.mapSpace(params.space, query.item);
      }),
  });
}
