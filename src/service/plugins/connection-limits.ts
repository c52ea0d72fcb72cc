import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { NighError } from '../../core/errors.js';
import type { ServiceApp } from '../type-provider.js';

/** Requests that come in one piece all begin at once, more than a thousand of them, and each answer is held until those before it are read. */
const mostUnderWay = 64;

/**
 * Bounds what one connection holds: so many requests under way, and no answer that its client does not read. Where nothing of an answer is
 * taken for as long as a request may take to come, the connection is cut.
 *
 * Node's own limit of that kind would count while an answer is still made, which takes minutes for a compaction.
 */
export function addConnectionLimits(app: ServiceApp): void {
  const connections = new WeakMap<Socket, Set<ServerResponse>>();
  app.addHook('onRequest', ({ raw: { socket } }, { raw: response }, done) => {
    const underWay = connections.get(socket) ?? watch(socket, connections);
    if (underWay.size >= mostUnderWay) return done(tooMany());
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
    done();
  });
  app.addHook('onSend', ({ raw: { socket } }, reply, payload, done) => {
    // An answer that waits for others has no socket yet, and a request that was injected has none at all.
    if (reply.raw.socket === socket) socket.setTimeout(app.server.requestTimeout);
    done(null, payload);
  });
}

/** The answers under way on a new connection, which are all told when it is closed: Node 20 tells only the one whose turn it is. */
function watch(socket: Socket, connections: WeakMap<Socket, Set<ServerResponse>>): Set<ServerResponse> {
  const underWay = new Set<ServerResponse>();
  connections.set(socket, underWay);
  socket.once('close', () => {
    for (const response of underWay) if (response.socket === null) response.emit('close');
  });
  return underWay;
}

function tooMany(): NighError {
  return new NighError(
    'OVERLOADED',
    `${mostUnderWay} requests of this connection are under way. Read their answers first.`,
  );
}
