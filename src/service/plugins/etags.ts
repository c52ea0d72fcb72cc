import { createHash } from 'node:crypto';
import { apiVersion } from '../api-version.js';
import type { ServedCollection, ServedCollections } from '../served-collections.js';
import type { ServiceApp } from '../type-provider.js';
import { wantsMessagePack } from '../wire-format.js';

/**
 * Gives reads of a collection an ETag of its generation, its journal, its stoplists and the URL, and answers 304 without searching when the
 * caller has it.
 *
 * Weak: a repeated answer holds the same results, and another `tookMs`.
 */
export function addETags(app: ServiceApp, collections: ServedCollections): void {
  /** A collection that is compacted goes on as another generation. */
  const tagged = new WeakMap<ServedCollection, { readonly generation: string; readonly digest: string }>();
  app.addHook<{ Params: { collection?: string } }>('preHandler', (request, reply, done) => {
    const name = request.params.collection;
    if (name === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return done();
    const collection = collections.get(name);
    const { generation } = collection.info;
    let tag = tagged.get(collection);
    if (tag?.generation !== generation) {
      tag = { generation, digest: digestOf(collection, name) };
      tagged.set(collection, tag);
    }
    const form = wantsMessagePack(request) ? '-m' : '';
    const revision = `${collection.revision.toString(36)}-${(collection.journal?.sequence ?? 0).toString(36)}`;
    const etag = `W/"${tag.digest}-${revision}-${hashOf(request.url).toString(36)}${form}"`;
    reply.header('etag', etag).header('cache-control', 'private, no-cache').header('vary', 'accept, accept-encoding');
    if (matches(request.headers['if-none-match'], etag)) {
      reply.code(304).send();
      return;
    }
    done();
  });
}

function digestOf({ info: { generation, createdAt } }: ServedCollection, name: string): string {
  const seed = `${apiVersion}\n${name}\n${generation}\n${createdAt}`;
  return createHash('sha256').update(seed).digest('base64url').slice(0, 22);
}

/**
 * FNV-1a, 32 bits. Callers compare tags of one URL only, so this need not be hard to collide; it tells apart what a careless cache
 * would mix up.
 */
function hashOf(url: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < url.length; at++) hash = Math.imul(hash ^ url.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  return (ifNoneMatch?.split(',') ?? []).some((candidate) => candidate.trim() === etag);
}
