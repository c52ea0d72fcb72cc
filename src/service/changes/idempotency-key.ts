import type { FastifyRequest } from 'fastify';
import { describe } from '../../core/errors.js';
import { InvalidRequest } from '../problem.js';

const header = 'idempotency-key';

/**
 * Under what a change is known, so that sending it again changes nothing: the header `Idempotency-Key`.
 * @throws InvalidRequest
 */
export function idempotencyKey({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const given = headers[header];
  if (given === undefined) return undefined;
  if (typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given)) return given;
  const expected = '1 to 128 letters, digits, dots, colons, dashes and underscores';
  const got = describe(given);
  throw new InvalidRequest('INVALID_ARGUMENT', `${header}: expected ${expected}, got ${got}.`, [
    { in: 'headers', parameter: header, expected, got },
  ]);
}
