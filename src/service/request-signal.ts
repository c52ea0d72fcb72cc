import { setMaxListeners } from 'node:events';
import type { FastifyReply } from 'fastify';
import { NighError } from '../core/errors.js';

/**
 * A signal that aborts when the client leaves before its answer is written, so that nobody searches for a closed socket, and when
 * the time for a request is over.
 *
 * It listens to the response: the request's own `close` comes as soon as its body was read.
 */
export function requestSignal(reply: FastifyReply, deadlineMs: number): AbortSignal {
  const controller = new AbortController();
  // Every search of a call with many questions listens to it.
  setMaxListeners(0, controller.signal);
  const response = reply.raw;
  const deadline = setTimeout(() => controller.abort(deadlineMissed(deadlineMs)), deadlineMs);
  response.once('close', () => {
    clearTimeout(deadline);
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

function deadlineMissed(deadlineMs: number): NighError {
  return new NighError('DEADLINE', `The answer was not ready within ${deadlineMs} ms.`);
}
