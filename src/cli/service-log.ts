/** A log for people at a terminal: silent while all is well, one block for each fault of the service. */
import type { FastifyBaseLogger } from 'fastify';
import { say } from './output.js';

/** Logs warnings and errors as text on stderr. */
export function faultLog(): FastifyBaseLogger {
  const silent = () => {};
  const log: FastifyBaseLogger = {
    level: 'warn',
    trace: silent,
    debug: silent,
    info: silent,
    silent,
    warn: sayFault,
    error: sayFault,
    fatal: sayFault,
    child: () => log,
  };
  return log;
}

/** As pino is called: an object and a message, or a message alone. */
function sayFault(about: unknown, message?: unknown): void {
  const what = typeof about === 'string' ? about : String(message ?? 'fault');
  const error =
    about instanceof Error
      ? about
      : typeof about === 'object' && about !== null && 'err' in about
        ? about.err
        : undefined;
  say(`nigh: ${what}${error instanceof Error ? `: ${error.stack ?? error.message}` : ''}`);
}
