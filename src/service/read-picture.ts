import { describe } from '../core/errors.js';
import { InvalidRequest } from './problem.js';

/** A picture of a body. @throws InvalidRequest */
export function readPicture(base64: string, parameter: string): Uint8Array {
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return Buffer.from(base64, 'base64');
  const [expected, got] = ['a picture in base64', describe(base64)];
  const message = `${parameter}: expected ${expected}, got ${got}.`;
  throw new InvalidRequest('INVALID_ARGUMENT', message, [{ in: 'body', parameter, expected, got }]);
}
