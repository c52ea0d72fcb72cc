import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ServiceApp } from '../type-provider.js';

/**
 * Fastify's `genReqId`: the caller's `x-request-id` where it is plain (so that nobody writes into the log), else one of ours,
 * which no other process has.
 */
export function requestIds(): (request: { headers: IncomingHttpHeaders } | IncomingMessage) => string {
  const prefix = randomBytes(6).toString('base64url');
  let next = 0;
  return ({ headers }) => {
    const given = headers['x-request-id'];
    return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : `${prefix}-${(next++).toString(36)}`;
  };
}

/** Sends every request's id back. */
export function addRequestIds(app: ServiceApp): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
}
