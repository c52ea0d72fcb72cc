import { IdSet } from '../../index/id-set.js';

/** Some of the items of a catalogue, both as an index filters by them and as a loop over items asks for them. Not changed afterwards. */
export class ItemSet {
  /** How many. */
  readonly size: number;
  readonly #mask: Uint8Array;
  #ids: IdSet | undefined;
  #others: IdSet | undefined;

  /** @param mask one byte an item: 1 for those that are in. Kept, not copied. */
  constructor(mask: Uint8Array) {
    this.#mask = mask;
    let size = 0;
    for (const bit of mask) size += bit;
    this.size = size;
  }

  static of(items: Iterable<number>, catalogueSize: number): ItemSet {
    const mask = new Uint8Array(catalogueSize);
    for (const item of items) mask[item] = 1;
    return new ItemSet(mask);
  }

  has(item: number): boolean {
    return this.#mask[item] === 1;
  }

  /** For a search; made once. */
  get ids(): IdSet {
    this.#ids ??= IdSet.allow(this.ordinals());
    return this.#ids;
  }

  /** All that are not in it, for a search; made once. */
  get others(): IdSet {
    this.#others ??= IdSet.deny(this.ordinals());
    return this.#others;
  }

  /** Ascending. */
  ordinals(): Uint32Array {
    const ordinals = new Uint32Array(this.size);
    let at = 0;
    for (let item = 0; item < this.#mask.length; item++) if (this.#mask[item] === 1) ordinals[at++] = item;
    return ordinals;
  }
}
