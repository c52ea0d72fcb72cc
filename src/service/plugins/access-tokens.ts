import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { NighError } from '../../core/errors.js';
import type { ServiceApp } from '../type-provider.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route changes something: it needs the write token. */
    readonly write?: boolean;
  }
}

export interface AccessTokens {
  /** What reads need. Undefined: nothing. */
  readonly read: string | undefined;
  /** What writes need; it may read too. Undefined: nobody may write. */
  readonly write: string | undefined;
}

/** Lets only requests with the right `Authorization: Bearer <token>` through to the routes of `app`. */
export function requireTokens(app: ServiceApp, { read, write }: AccessTokens): void {
  const mayRead = [read, write].filter((token) => token !== undefined).map(digest);
  const mayWrite = [write].filter((token) => token !== undefined).map(digest);
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.write === true) done(refusal(request, mayWrite, 'NIGH_WRITE_TOKEN'));
    else if (read !== undefined) done(refusal(request, mayRead, 'NIGH_TOKEN'));
    else done();
  });
}

function refusal({ headers }: FastifyRequest, wanted: readonly Buffer[], name: string): NighError | undefined {
  if (wanted.length === 0) {
    return new NighError('FORBIDDEN', `Changes need ${name}, and this service was started without one.`);
  }
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (given === undefined) {
    return new NighError('UNAUTHORIZED', `Expected the header "Authorization: Bearer <${name}>"; got none.`);
  }
  const digested = digest(given);
  // Every token is compared, so that the time does not tell which of them was near.
  const fits = wanted.map((token) => timingSafeEqual(digested, token));
  return fits.includes(true)
    ? undefined
    : new NighError('UNAUTHORIZED', `The bearer token is not the ${name} of this service.`);
}

/** Digests are compared, not tokens: of one length, and without a prefix to guess by the time it takes. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
