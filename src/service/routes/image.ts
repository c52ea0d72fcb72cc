import { Type } from 'typebox';
import { NighError } from '../../core/errors.js';
import { ItemPath, strict } from '../parameters.js';
import { problemResponses } from '../schemas.js';
import type { ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

const types = ['image/svg+xml', 'image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const;
const file = { schema: Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary' }) };

/** An SVG that somebody opens by its address is a page of this origin: it may run nothing, fetch nothing and stands in a sandbox. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/** The pictures that the collection keeps. */
export function addImageRoute(app: ServiceApp, collections: ServedCollections): void {
  app.route({
    method: 'GET',
    url: '/collections/:collection/items/:item/image',
    schema: {
      tags: ['items'],
      summary: 'The picture of an item, as it came with the dataset',
      operationId: 'getImage',
      params: Type.Object(ItemPath),
      querystring: Type.Object({}, strict),
      response: {
        200: { description: 'The picture.', content: Object.fromEntries(types.map((type) => [type, file])) },
        ...problemResponses,
      },
    },
    // What Fastify would make of it as JSON.
    serializerCompiler: () => (bytes: unknown) => bytes as string,
    handler: async ({ params: { collection: name, item } }, reply) => {
      const picture = await collections.use(name, async (collection) => {
        // Whether there is such an item is for the collection to say, also where it has no pictures at all.
        return collection.picture === undefined ? void collection.item(item) : collection.picture(item);
      });
      if (picture === undefined) {
        throw new NighError('NO_PICTURE', `${name} has no picture of the item ${JSON.stringify(item)}.`);
      }
      reply.header('content-security-policy', policy).type(picture.type);
      return reply.send(Buffer.from(picture.bytes.buffer, picture.bytes.byteOffset, picture.bytes.byteLength));
    },
  });
}
