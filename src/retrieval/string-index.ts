import { NighError } from '../core/errors.js';
import { sortInTurns } from '../core/sort-in-turns.js';
import { type PackedStrings, StringList } from './string-list.js';

/** The stored form of a StringIndex. */
export interface PackedStringIndex extends PackedStrings {
  /** Positions of the strings, sorted by their bytes, ties by position. */
  readonly order: Uint32Array;
}

/**
 * Strings that can be found by their text or by how they begin: a sorted order beside a StringList. Finding one of a million
 * takes some twenty comparisons, and nothing has to be built when a file is opened. Strings may repeat.
 */
export class StringIndex extends StringList {
  readonly #order: Uint32Array;

  /** @throws NighError FORMAT */
  constructor(packed: PackedStringIndex) {
    super(packed);
    const { order } = packed;
    if (!(order instanceof Uint32Array) || order.length !== this.size) {
      throw new NighError(
        'FORMAT',
        `A stored index of strings has ${this.size} strings and an order of another length.`,
      );
    }
    for (const position of order) {
      if (position >= this.size)
        throw new NighError('FORMAT', `A stored index of strings refers to string ${position}.`);
    }
    this.#order = order;
  }

  /** Every position in the order of the strings, by their UTF-8 bytes. A view. */
  get sorted(): Uint32Array {
    return this.#order;
  }

  /** The first position whose string equals the text, or undefined. */
  find(text: string): number | undefined {
    const { begin, end } = this.#range(text, false);
    return begin < end ? this.#order[begin] : undefined;
  }

  /** Every position whose string equals the text. A view. */
  findAll(text: string): Uint32Array {
    const { begin, end } = this.#range(text, false);
    return this.#order.subarray(begin, end);
  }

  /** Every position whose string begins with the text, in the order of the strings (equal ones come first). A view. */
  startingWith(text: string): Uint32Array {
    const { begin, end } = this.#range(text, true);
    return this.#order.subarray(begin, end);
  }

  #range(text: string, prefix: boolean): { begin: number; end: number } {
    const key = Buffer.from(text, 'utf8');
    return { begin: this.#partition(key, prefix, false), end: this.#partition(key, prefix, true) };
  }

  /** How many of the sorted strings come before the key, or before and with it. */
  #partition(key: Uint8Array, prefix: boolean, inclusive: boolean): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.compare(this.#order[middle]!, key, prefix);
      if (order < 0 || (inclusive && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @throws NighError CAPACITY, ABORTED */
  static async index(strings: readonly string[], signal?: AbortSignal): Promise<PackedStringIndex> {
    const packed = StringList.pack(strings);
    const list = new StringList(packed);
    const order = Uint32Array.from({ length: list.size }, (_, i) => i);
    return { ...packed, order: await sortInTurns(order, (i, j) => list.compareWithin(i, j) || i - j, signal) };
  }
}

/** Names by ordinal, whatever holds them. */
export type Names = Pick<StringIndex, 'find' | 'at' | 'size' | 'sorted'>;
