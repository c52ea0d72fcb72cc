/** Ids beside vectors: a text file with one a line, line r + 1 that of row r. */
import { NighError } from '../../core/errors.js';
import type { FetchContext } from '../load-context.js';
import { readLines } from '../sources/read-lines.js';
import { writePieces } from './binary-file.js';
import { toVectorIds } from './row-collector.js';
import type { VectorIds } from './vector-file.js';

/**
 * Ids that are all whole numbers below 2^32 − 1, written without sign or leading zeros, come as a Uint32Array.
 * @throws NighError NOT_FOUND, IO, INVALID_RECORD for an empty line, DUPLICATE_ID, ABORTED
 */
export async function readIdFile(path: string, context: FetchContext): Promise<VectorIds> {
  const ids: string[] = [];
  await readLines(path, 'utf-8', context, (id, line) => {
    if (id === '')
      throw new NighError('INVALID_RECORD', `${path}:${line}: expected an id on every line, got an empty one.`);
    ids.push(id);
  });
  const whole = ids.every((id) => /^(0|[1-9]\d{0,9})$/.test(id));
  return toVectorIds(path, whole ? ids.map(Number) : ids, (row) => `line ${row + 1}`);
}

/** @throws NighError INVALID_ARGUMENT for an id that is no line of text, ABORTED */
export function writeIdFile(path: string, ids: VectorIds, context: FetchContext): Promise<void> {
  return writePieces(path, lines(ids), context);
}

function* lines(ids: VectorIds): Generator<Buffer> {
  for (const id of ids) {
    const text = String(id);
    if (text === '' || /[\r\n]/.test(text)) {
      throw new NighError('INVALID_ARGUMENT', `ids: ${JSON.stringify(text)} cannot stand on a line of its own.`);
    }
    yield Buffer.from(`${text}\n`);
  }
}
