import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';

/** The stored form: users × items by compressed rows. */
export interface PackedInteractions {
  readonly items: number;
  readonly offsets: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Float32Array;
}

/** What every user already has: to leave out of answers, and to fold in users without a vector. */
export class SeenLists {
  readonly #offsets: Uint32Array;
  readonly #columns: Uint32Array;

  /** How many users interacted with every item. */
  readonly popularity: Uint32Array;

  /** @throws NighError FORMAT */
  constructor({ items, offsets, columns, values }: PackedInteractions) {
    const fits =
      offsets instanceof Uint32Array &&
      columns instanceof Uint32Array &&
      values instanceof Float32Array &&
      offsets.length > 0 &&
      offsets[0] === 0 &&
      offsets.at(-1) === columns.length &&
      values.length === columns.length;
    if (!fits) throw new NighError('FORMAT', 'The stored interactions contradict themselves.');
    for (let u = 1; u < offsets.length; u++) {
      if (offsets[u]! < offsets[u - 1]!)
        throw new NighError('FORMAT', `The stored interactions go backwards at user ${u}.`);
    }
    this.popularity = new Uint32Array(items);
    for (const item of columns) {
      if (item >= items) throw new NighError('FORMAT', `The stored interactions refer to item ${item} of ${items}.`);
      this.popularity[item] = this.popularity[item]! + 1;
    }
    this.#offsets = offsets;
    this.#columns = columns;
  }

  get users(): number {
    return this.#offsets.length - 1;
  }

  get interactions(): number {
    return this.#columns.length;
  }

  /** The items that a user interacted with, ascending. A view. */
  itemsOf(user: number): Uint32Array {
    return this.#columns.subarray(this.#offsets[user], this.#offsets[user + 1]);
  }

  static pack({ cols, offsets, columns, values }: CsrMatrix): PackedInteractions {
    return { items: cols, offsets, columns, values };
  }
}
