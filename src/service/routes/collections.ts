import { Type } from 'typebox';
import { CollectionPath, strict } from '../parameters.js';
import { CollectionInfo, responses } from '../schemas.js';
import type { ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

const tags = ['collections'];

/** What is served. */
export function addCollectionRoutes(app: ServiceApp, collections: ServedCollections): void {
  app.route({
    method: 'GET',
    url: '/collections',
    schema: {
      tags,
      summary: 'Every collection',
      operationId: 'listCollections',
      querystring: Type.Object({}, strict),
      response: responses(
        'Every collection, in the order of serving.',
        Type.Object({ collections: Type.Array(CollectionInfo) }),
      ),
    },
    handler: async () => ({ collections: collections.all().map(({ info }) => info) }),
  });

  app.route({
    method: 'GET',
    url: '/collections/:collection',
    schema: {
      tags,
      summary: 'One collection: counts, spaces, measured recall',
      operationId: 'getCollection',
      params: Type.Object(CollectionPath),
      querystring: Type.Object({}, strict),
      response: responses('The collection.', CollectionInfo),
    },
    handler: async ({ params }) => collections.get(params.collection).info,
  });
}
