import { createHash } from 'node:crypto';
import { apiVersion } from '../api-version.js';
import type { ServedCollection, ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';

/**
 * Gives reads of a collection an ETag of its generation, its stoplists and the URL, and answers 304 without searching when the caller has it.
 *
 * Weak: a repeated answer holds the same results, and another `tookMs`.
 */
export function addETags(app: ServiceApp, collections: ServedCollections): void {
  const tagged = new WeakMap<ServedCollection, string>();
  app.addHook<{ Params: { collection?: string } }>('preHandler', (request, reply, done) => {
    const name = request.params.collection;
    if (name === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return done();
    const collection = collections.get(name);
    let seed = tagged.get(collection);
    if (seed === undefined) {
      const { generation, createdAt } = collection.info;
      seed = `${apiVersion}\n${name}\n${generation}\n${createdAt}\n`;
      tagged.set(collection, seed);
    }
    const etag = `W/"${createHash('sha256').update(`${seed}${collection.revision}\n`).update(request.url).digest('base64url').slice(0, 22)}"`;
    reply.header('etag', etag).header('cache-control', 'private, no-cache');
    if (matches(request.headers['if-none-match'], etag)) {
      reply.code(304).send();
      return;
    }
    done();
  });
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  return (ifNoneMatch?.split(',') ?? []).some((candidate) => candidate.trim() === etag);
}
