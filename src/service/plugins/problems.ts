import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { NighError } from '../../core/errors.js';
import { frameworkRefusal } from '../framework-refusal.js';
import type { Metrics } from '../metrics.js';
import { problemOf, problemType } from '../problem.js';
import type { Problem } from '../schemas.js';
import type { ServiceApp } from '../type-provider.js';
import { messagePackProblemType, packMessage, wantsMessagePack } from '../wire-format.js';

/** Answers everything that goes wrong with a problem document. */
export function addProblems(app: ServiceApp, metrics: Metrics): void {
  const send = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const problem = sendProblem(error, request, reply);
    metrics.refused(problem.code);
    return reply;
  };
  app.setErrorHandler(send);
  app.setNotFoundHandler((request, reply) => send(unknownRoute(request), request, reply));
}

/** Sends the problem document of `error`, and logs faults of the service in full. */
function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): Problem {
  const error = frameworkRefusal(thrown, request) ?? thrown;
  const problem = problemOf(error, request.id);
  // What refuses requests because it is busy must not be busy with saying so.
  if (problem.status >= 500 && problem.code !== 'OVERLOADED') request.log.error({ err: error }, 'request failed');
  else request.log.debug({ code: problem.code, detail: problem.detail }, 'request refused');
  reply.removeHeader('etag');
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="nigh"');
  if (problem.status === 503) reply.header('retry-after', '1');
  const packed = wantsMessagePack(request);
  reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    // The hooks that set these for every route do not run where there is no route.
    .header('x-request-id', request.id)
    .header('x-content-type-options', 'nosniff')
    .type(packed ? messagePackProblemType : problemType)
    .serializer(packed ? packMessage : JSON.stringify)
    .send(problem);
  return problem;
}

/** Refusals before there is a route: Fastify's `frameworkErrors`. */
export function answerFrameworkError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(error, request, reply);
}

/** What is not HTTP, or too slow or too large to be read as a request: answered on the bare socket, which is then closed. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) {
    const { status, detail } = clientErrorOf(error.code);
    const body = JSON.stringify({ ...problemOf(new NighError('INVALID_ARGUMENT', detail)), status });
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: ${problemType}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
  socket.destroy(error);
}

function clientErrorOf(code: string | undefined): { status: number; detail: string } {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: 408, detail: 'The request did not arrive completely in time.' };
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, detail: 'The headers are larger than 16 KiB together.' };
  return { status: 400, detail: 'This is not an HTTP request.' };
}

function unknownRoute(request: FastifyRequest): NighError {
  const path = request.url.split('?', 1)[0] ?? '';
  const slashed = /^\/v1\/collections\/[^/]+\/(items|users)\/.+\/./.test(path);
  const hint = slashed ? ' A slash inside an id is written %2F.' : ' All routes are listed at /openapi.json and /docs.';
  return new NighError('UNKNOWN_ROUTE', `There is no ${request.method} ${path.slice(0, 200)} here.${hint}`);
}
