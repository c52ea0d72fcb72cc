import { IdSet } from '../../index/id-set.js';

/** Some of the items of a catalogue, both as an index filters by them and as a loop over items asks for them. Not changed afterwards. */
export class ItemSet {
  /** How many. */
  readonly size: number;
  readonly #mask: Uint8Array;
  /** The set of the items before those of the mask. */
  readonly #before: ItemSet | undefined;
  readonly #begin: number;
  #ids: IdSet | undefined;
  #others: IdSet | undefined;

  /**
   * @param mask one byte an item: 1 for those that are in. Kept, not copied.
   * @param before the set that it continues: the mask begins with the item after its last
   */
  constructor(mask: Uint8Array, before?: ItemSet) {
    this.#mask = mask;
    this.#before = before;
    this.#begin = before?.end ?? 0;
    let size = before?.size ?? 0;
    for (const bit of mask) size += bit;
    this.size = size;
  }

  static of(items: Iterable<number>, catalogueSize: number): ItemSet {
    const mask = new Uint8Array(catalogueSize);
    for (const item of items) mask[item] = 1;
    return new ItemSet(mask);
  }

  /** The first item that it says nothing about. */
  get end(): number {
    return this.#begin + this.#mask.length;
  }

  has(item: number): boolean {
    return item < this.#begin ? this.#before!.has(item) : this.#mask[item - this.#begin] === 1;
  }

  /** For a search; made once. */
  get ids(): IdSet {
    const own = () => IdSet.allow(this.#own());
    this.#ids ??= this.#before === undefined ? own() : this.#before.ids.or(own());
    return this.#ids;
  }

  /** All that are not in it, for a search; made once. */
  get others(): IdSet {
    const own = () => IdSet.deny(this.#own());
    this.#others ??= this.#before === undefined ? own() : this.#before.others.and(own());
    return this.#others;
  }

  /** Ascending. */
  ordinals(): Uint32Array {
    return Uint32Array.from([...(this.#before?.ordinals() ?? []), ...this.#own()]);
  }

  #own(): Uint32Array {
    const ordinals = new Uint32Array(this.size - (this.#before?.size ?? 0));
    let to = 0;
    for (let at = 0; at < this.#mask.length; at++) if (this.#mask[at] === 1) ordinals[to++] = this.#begin + at;
    return ordinals;
  }
}
