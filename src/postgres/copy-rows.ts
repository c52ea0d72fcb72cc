/** Rows as COPY takes them in: ids and vectors in PostgreSQL's binary form, everything else in its text form. */

/** Signature, flags, no extension. */
const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const trailer = Buffer.from([0xff, 0xff]);

/** (id bigint, embedding vector) for every id, some rows a chunk. */
export function* binaryRows(
  ids: Uint32Array,
  vectorOf: (id: number) => Float32Array,
  rowsOfAChunk: number,
  onRows: (done: number) => void,
): Generator<Buffer> {
  yield header;
  for (let begin = 0; begin < ids.length; begin += rowsOfAChunk) {
    const rows = Array.from(ids.subarray(begin, begin + rowsOfAChunk), (id) => ({ id, vector: vectorOf(id) }));
    const chunk = Buffer.allocUnsafe(rows.reduce((sum, { vector }) => sum + 22 + 4 * vector.length, 0));
    let at = 0;
    for (const { id, vector } of rows) {
      at = chunk.writeInt16BE(2, at);
      at = chunk.writeInt32BE(8, at);
      at = chunk.writeBigInt64BE(BigInt(id), at);
      at = chunk.writeInt32BE(4 + 4 * vector.length, at);
      at = chunk.writeInt16BE(vector.length, at);
      at = chunk.writeInt16BE(0, at);
      for (const value of vector) at = chunk.writeFloatBE(value, at);
    }
    yield chunk;
    onRows(begin + rows.length);
  }
  yield trailer;
}

/** One value of COPY's text form. */
export function copyText(value: string | number | undefined): string {
  if (value === undefined) return '\\N';
  if (typeof value === 'number') return String(value);
  return value.replace(/[\\\t\n\r]/g, (found) => escapes[found]!);
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** Lines of values, some of them a chunk. */
export function* textRows(rows: Iterable<readonly (string | number | undefined)[]>): Generator<Buffer> {
  let lines: string[] = [];
  for (const row of rows) {
    lines.push(`${row.map(copyText).join('\t')}\n`);
    if (lines.length < 1000) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
  }
  if (lines.length > 0) yield Buffer.from(lines.join(''));
}
