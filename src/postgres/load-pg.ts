/** The packages behind everything here: loaded when a database is first opened, since most who use nigh have none. */
import type pgModule from 'pg';
import type { from as copyFrom } from 'pg-copy-streams';
import { NighError } from '../core/errors.js';

/** @throws NighError OPTIONAL_PACKAGE */
export async function loadPg(): Promise<typeof pgModule> {
  try {
    return (await import('pg')).default;
  } catch (cause) {
    throw missing('pg', cause);
  }
}

/** @throws NighError OPTIONAL_PACKAGE */
export async function loadCopyFrom(): Promise<typeof copyFrom> {
  try {
    return (await import('pg-copy-streams')).from;
  } catch (cause) {
    throw missing('pg-copy-streams', cause);
  }
}

function missing(name: string, cause: unknown): NighError {
  return new NighError('OPTIONAL_PACKAGE', `PostgreSQL needs the package ${name}; run: npm install ${name}`, { cause });
}
