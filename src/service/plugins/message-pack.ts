import { InvalidRequest } from '../problem.js';
import type { ServiceApp } from '../type-provider.js';
import { messagePackType, packMessage, unpackMessage, wantsMessagePack } from '../wire-format.js';

/** Reads bodies that are MessagePack, and writes answers as MessagePack where `Accept` asks for it. Pages and files stay what they are. */
export function addMessagePack(app: ServiceApp): void {
  app.addContentTypeParser(messagePackType, { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, unpackMessage(body as Buffer));
    } catch {
      done(unreadable(body.length));
    }
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (wantsMessagePack(request) && request.routeOptions.schema?.response !== undefined) {
      reply.type(messagePackType).serializer(packMessage);
    }
    done();
  });
}

function unreadable(length: number): InvalidRequest {
  const got = length === 0 ? 'nothing' : `${length} bytes that are not valid MessagePack`;
  const fault = { in: 'body', parameter: 'body', expected: 'a MessagePack map', got } as const;
  return new InvalidRequest('INVALID_ARGUMENT', `body: expected ${fault.expected}, got ${got}.`, [fault]);
}
