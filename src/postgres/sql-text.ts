/** Values as they are written into SQL. Only numbers and names of our own come here; texts of others are quoted. */

/** A name, whatever it holds. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text, whatever it holds and however the server reads backslashes. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** A dense vector as pgvector reads it. */
export function vectorText(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}

/** A vector of a sparsevec column: its entries that are not zero, counted from 1. */
export function sparseText(vector: Float32Array): string {
  const entries: string[] = [];
  vector.forEach((value, column) => {
    if (value !== 0) entries.push(`${column + 1}:${value}`);
  });
  return `{${entries.join(',')}}/${vector.length}`;
}

/** What pgvector wrote, of either kind. */
export function readVector(text: string, dim: number): Float32Array {
  if (text.startsWith('[')) return Float32Array.from(text.slice(1, -1).split(','), Number);
  const vector = new Float32Array(dim);
  const entries = text.slice(1, text.indexOf('}'));
  if (entries === '') return vector;
  for (const entry of entries.split(',')) {
    const [column = '', value = ''] = entry.split(':');
    vector[Number(column) - 1] = Number(value);
  }
  return vector;
}

/** Ids as an array of the database. */
export function idsText(ids: Uint32Array): string {
  return `'{${ids.join(',')}}'::bigint[]`;
}
