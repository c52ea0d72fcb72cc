import type { FastifyRequest } from 'fastify';
import { describe } from '../core/errors.js';
import { InvalidRequest, type ParameterFault } from './problem.js';
import { messagePackType } from './wire-format.js';

/** A body may be so large, in bytes. */
export const bodyLimit = 1024 * 1024;

/** A part of a path may be so long: 1,024 characters of an id, each up to twelve when percent-encoded. */
export const pathPartLimit = 12 * 1024;

interface Refusal {
  readonly in: ParameterFault['in'];
  readonly parameter: string;
  readonly status: number;
  readonly expected: string;
  readonly got: (request: FastifyRequest) => string;
}

const contentType: Pick<Refusal, 'in' | 'parameter'> = { in: 'headers', parameter: 'content-type' };
const body: Pick<Refusal, 'in' | 'parameter'> = { in: 'body', parameter: 'body' };
const path: Pick<Refusal, 'in' | 'parameter'> = { in: 'path', parameter: 'path' };

/** What Fastify refuses before a schema is looked at, by its code. */
const refusals: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: {
    ...body,
    status: 400,
    expected: 'a JSON object',
    got: () => 'text that is not valid JSON',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { ...body, status: 400, expected: 'a JSON object', got: () => 'nothing' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    ...body,
    status: 400,
    expected: 'as many bytes as content-length says',
    got: () => 'another number of bytes',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    ...body,
    status: 413,
    expected: `at most ${bodyLimit} bytes`,
    got: ({ headers }) => (headers['content-length'] === undefined ? 'more' : `${headers['content-length']} bytes`),
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    ...contentType,
    status: 415,
    expected: `application/json or ${messagePackType}`,
    got: ({ headers }) => describe(headers['content-type']),
  },
  FST_ERR_BAD_URL: { ...path, status: 400, expected: 'percent-encoded UTF-8', got: ({ url }) => describe(url) },
  FST_ERR_MAX_PARAM_LENGTH: {
    ...path,
    status: 414,
    expected: `parts of at most ${pathPartLimit} characters`,
    got: ({ url }) => describe(url),
  },
};

/** Fastify's refusal of a request in our words: what was expected and what came. Undefined for any other error. */
export function frameworkRefusal(error: unknown, request: FastifyRequest): InvalidRequest | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  const refusal = typeof code === 'string' && Object.hasOwn(refusals, code) ? refusals[code] : undefined;
  if (refusal === undefined) return undefined;
  const { parameter, expected, status } = refusal;
  const got = refusal.got(request);
  const message = `${parameter}: expected ${expected}, got ${got}.`;
  return new InvalidRequest('INVALID_ARGUMENT', message, [{ in: refusal.in, parameter, expected, got }], status);
}
