import { setMaxListeners } from 'node:events';
import type { FastifyReply } from 'fastify';

/**
 * A signal that aborts when the client leaves before its answer is written, so that nobody searches for a closed socket.
 *
 * It listens to the response: the request's own `close` comes as soon as its body was read.
 */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  // Every search of a call with many questions listens to it.
  setMaxListeners(0, controller.signal);
  const response = reply.raw;
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
