/** Rows that come one by one, from files that say neither how many there are nor how long. */
import { describe, NighError } from '../../core/errors.js';
import { GrowableArray } from '../growable-array.js';
import type { VectorIds, VectorTable } from './vector-file.js';

export class RowCollector {
  readonly #data = GrowableArray.float32();
  readonly #ids: (string | number)[] = [];
  #dim = 0;
  #rows = 0;

  /** @param placeOf says where in the file a row is, for messages */
  constructor(
    private readonly path: string,
    private readonly placeOf: (row: number) => string,
  ) {}

  /**
   * The next row.
   * @throws NighError INVALID_RECORD for what is no list of numbers of the common length, NOT_FINITE
   */
  push(vector: unknown): void {
    if (!isList(vector)) throw this.#wrong(`expected a list of numbers, got ${describe(vector)}`);
    if (this.#rows === 0) this.#dim = vector.length;
    if (vector.length === 0 || vector.length !== this.#dim) {
      throw this.#wrong(
        `expected a vector of ${this.#dim || 'at least one'} values, as in the first row, got ${vector.length}`,
      );
    }
    for (let i = 0; i < vector.length; i++) {
      const value: unknown = vector[i];
      const number = typeof value === 'bigint' ? Number(value) : value;
      if (typeof number !== 'number') throw this.#wrong(`expected numbers, got ${describe(value)} as value ${i}`);
      if (!Number.isFinite(Math.fround(number))) {
        throw new NighError(
          'NOT_FINITE',
          `${this.path}: ${this.placeOf(this.#rows)}: value ${i} is ${number}, expected a finite number.`,
        );
      }
      this.#data.push(number);
    }
    this.#rows++;
  }

  /** The id of the next row, before its push. @throws NighError INVALID_RECORD */
  pushId(id: unknown): void {
    if (typeof id === 'bigint' || (typeof id === 'number' && Number.isSafeInteger(id))) this.#ids.push(Number(id));
    else if (typeof id === 'string' && id !== '') this.#ids.push(id);
    else throw this.#wrong(`expected a text or a whole number as id, got ${describe(id)}`);
  }

  /** @throws NighError DUPLICATE_ID, EMPTY_DATASET */
  table(): VectorTable {
    if (this.#rows === 0) throw new NighError('EMPTY_DATASET', `${this.path}: the file has no vectors.`);
    const matrix = { data: this.#data.view().slice(), rows: this.#rows, dim: this.#dim };
    return this.#ids.length === 0 ? { matrix } : { matrix, ids: toVectorIds(this.path, this.#ids, this.placeOf) };
  }

  #wrong(what: string): NighError {
    return new NighError('INVALID_RECORD', `${this.path}: ${this.placeOf(this.#rows)}: ${what}.`);
  }
}

/**
 * Ids in their common form: a Uint32Array if all are whole numbers that fit, else texts.
 * @throws NighError DUPLICATE_ID
 */
export function toVectorIds(
  path: string,
  ids: readonly (string | number)[],
  placeOf: (row: number) => string,
): VectorIds {
  const texts = ids.map(String);
  const seen = new Map<string, number>();
  texts.forEach((id, row) => {
    const before = seen.get(id);
    if (before !== undefined) {
      throw new NighError(
        'DUPLICATE_ID',
        `${path}: ${placeOf(row)}: the id ${describe(id)} is that of ${placeOf(before)} too.`,
      );
    }
    seen.set(id, row);
  });
  const fits = ids.every((id) => typeof id === 'number' && id >= 0 && id < 0xffffffff);
  return fits ? Uint32Array.from(ids as readonly number[]) : texts;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}
