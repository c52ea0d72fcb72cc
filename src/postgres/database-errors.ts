/** What the database and the way to it say when something fails, in our codes. No message holds a password: these come from the server. */
import { type ErrorCode, NighError } from '../core/errors.js';

/** Codes of the operating system for a connection that cannot be made or ended. */
const brokenSocket = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);
/** SQLSTATE of a server that ends connections: shutdown, crash, failover. */
const goingDown = new Set(['57P01', '57P02', '57P03', '25006']);

const known: Readonly<Record<string, ErrorCode>> = {
  '42P01': 'NOT_FOUND', // table
  '3F000': 'NOT_FOUND', // schema
  '3D000': 'NOT_FOUND', // database
  '23505': 'DUPLICATE_ID',
  '42704': 'UNSUPPORTED', // type or extension that is not there
  '42883': 'UNSUPPORTED', // operator or function that is not there
  '58P01': 'UNSUPPORTED', // extension whose files are not there
  '0A000': 'UNSUPPORTED',
};

interface ServerError {
  readonly code?: unknown;
  readonly message?: unknown;
}

/** Whether a connection was lost, or could not be made, rather than a statement refused. */
export function isLost(error: unknown): boolean {
  const { code, message } = error as ServerError;
  if (typeof code === 'string') return brokenSocket.has(code) || goingDown.has(code) || code.startsWith('08');
  return (
    typeof message === 'string' &&
    /connection terminated|connection ended|not queryable|timeout.*connect|closed the connection/i.test(message)
  );
}

/** @param where the database, without a password */
export function databaseError(error: unknown, where: string): NighError {
  if (error instanceof NighError) return error;
  const { code, message } = error as ServerError;
  const text = typeof message === 'string' && message !== '' ? message : String(code);
  if (isLost(error)) return new NighError('CONNECTION_LOST', `${where}: ${text}.`, { cause: error });
  if (/different vector dimensions|expected \d+ dimensions/.test(text))
    return new NighError('DIMENSION_MISMATCH', `${where}: ${text}.`, { cause: error });
  const ours = typeof code === 'string' ? known[code] : undefined;
  const hint =
    ours === 'UNSUPPORTED' ? ' nigh needs the extension "vector" (pgvector 0.8 or later) in the database.' : '';
  return new NighError(ours ?? 'DATABASE', `${where}: ${text}.${hint}`, { cause: error });
}
