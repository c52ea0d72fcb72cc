import { extname } from 'node:path';
import { NighError } from '../../../core/errors.js';
import { didYouMean } from '../../../core/nearest-name.js';
import { csv } from './csv.js';
import type { NeighborFormat } from './format.js';
import { jsonl } from './jsonl.js';
import { npy } from './npy.js';
import { parquet } from './parquet.js';

export const neighborFormats: readonly NeighborFormat[] = [parquet, jsonl, csv, npy];

/**
 * The format of a name, or of the ending of a path.
 * @throws NighError INVALID_ARGUMENT naming those that are known
 */
export function neighborFormatOf(path: string, name: string | undefined): NeighborFormat {
  const ending = extname(path).toLowerCase();
  const found = neighborFormats.find((format) =>
    name === undefined ? format.endings.includes(ending) : format.name === name,
  );
  if (found !== undefined) return found;
  const names = neighborFormats.map((format) => format.name);
  if (name !== undefined) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `format: expected one of ${names.join(', ')}, got ${JSON.stringify(name)}.${didYouMean(name, names)}`,
    );
  }
  const endings = neighborFormats.flatMap((format) => format.endings).join(', ');
  throw new NighError('INVALID_ARGUMENT', `${path}: the ending names no format. Known: ${endings}.`);
}
