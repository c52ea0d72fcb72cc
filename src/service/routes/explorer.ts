import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { ServiceApp } from '../type-provider.js';

/** The folder of the page: beside this one in the sources, and copied to the same place by the build. */
const folder = fileURLToPath(new URL('../explorer/', import.meta.url));

/** The web page at `/`, and its parts under `/explorer/`. No file of anywhere else can be asked for. */
export async function addExplorer(app: ServiceApp): Promise<void> {
  await app.register(fastifyStatic, { root: folder, prefix: '/explorer/', wildcard: false, cacheControl: false });
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.sendFile('index.html'));
}
