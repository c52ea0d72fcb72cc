/** The address of a database. It may hold a password, so it is neither shown nor kept: `databaseName` is. */
import { describe, NighError } from '../core/errors.js';

/** Whether what was given for a collection's name is a database. */
export function isDatabaseUrl(name: string): boolean {
  return /^postgres(ql)?:\/\//i.test(name);
}

/** The collection's name is ours, and no setting of the connection. */
export function withoutCollection(url: string): { readonly address: string; readonly collection: string | undefined } {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return { address: url, collection: undefined };
  }
  const collection = parsed.searchParams.get('collection') ?? undefined;
  parsed.searchParams.delete('collection');
  return { address: parsed.href, collection };
}

/** postgres://user@host:port/database: what may be shown and kept. @throws NighError INVALID_ARGUMENT without the URL, which may hold a password */
export function databaseName(url: string): string {
  let parsed: URL;
  try {
    if (typeof url !== 'string' || !/^postgres(ql)?:\/\//i.test(url)) throw new TypeError('another scheme');
    parsed = new URL(url);
  } catch {
    const shown = typeof url === 'string' ? 'something else (not shown, since it may hold a password)' : describe(url);
    throw new NighError('INVALID_ARGUMENT', `connection: expected postgres://user@host:5432/database, got ${shown}.`);
  }
  const user = parsed.username === '' ? '' : `${parsed.username}@`;
  return `postgres://${user}${parsed.host}${parsed.pathname}`;
}
