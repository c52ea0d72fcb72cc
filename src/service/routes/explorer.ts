import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { ServiceApp } from '../type-provider.js';

/** The folder of the page: beside this one in the sources, and copied to the same place by the build. */
const folder = fileURLToPath(new URL('../explorer/', import.meta.url));

/** The web page at `/`, and its parts under `/explorer/`. No file of anywhere else can be asked for. */
export async function addExplorer(app: ServiceApp): Promise<void> {
  // The page itself is at `/` only: its links are relative to that.
  const page = 'index.html';
  await app.register(fastifyStatic, {
    root: folder,
    prefix: '/explorer/',
    wildcard: false,
    index: false,
    globIgnore: [page],
    cacheControl: false,
  });
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.sendFile(page));
}
