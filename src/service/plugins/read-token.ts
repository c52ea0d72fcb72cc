import { createHash, timingSafeEqual } from 'node:crypto';
import { NighError } from '../../core/errors.js';
import type { ServiceApp } from '../type-provider.js';

/** Lets only requests with `Authorization: Bearer <token>` through to the routes of `app`. */
export function requireReadToken(app: ServiceApp, token: string): void {
  const wanted = digest(token);
  app.addHook('onRequest', (request, _reply, done) => {
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined) {
      done(new NighError('UNAUTHORIZED', 'Expected the header "Authorization: Bearer <NIGH_TOKEN>"; got none.'));
    } else if (!timingSafeEqual(digest(given), wanted)) {
      done(new NighError('UNAUTHORIZED', 'The bearer token is not the one of this service.'));
    } else {
      done();
    }
  });
}

/** Digests are compared, not tokens: of one length, and without a prefix to guess by the time it takes. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
