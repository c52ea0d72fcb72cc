import type { OpenColumn } from './packed-columns.js';

/** A text is taken for a category, rather than for something to read, up to this many characters. */
const longestCategory = 64;

/**
 * What items say of themselves in tags and in texts that several items share, as vectors: an entry a term, ln(1 + items / items with it), at unit
 * length. Made when the first question needs it.
 */
export class ContentTerms {
  readonly #offsets: Uint32Array;
  readonly #ordinals: Uint32Array;
  readonly #rarity: Float64Array;

  constructor(columns: Iterable<OpenColumn>, items: number) {
    const lists: number[][] = Array.from({ length: items }, () => []);
    let terms = 0;
    for (const column of columns) {
      if (column.type === 'tags') {
        for (let item = 0; item < items; item++) {
          const tags = column.ordinals.subarray(column.offsets[item], column.offsets[item + 1]);
          for (const term of new Set(tags)) lists[item]!.push(terms + term);
        }
        terms += column.terms.size;
      } else if (column.type === 'text') {
        terms += addCategories(column, lists, terms);
      }
    }
    this.#offsets = new Uint32Array(items + 1);
    lists.forEach((list, item) => {
      this.#offsets[item + 1] = this.#offsets[item]! + list.length;
    });
    this.#ordinals = Uint32Array.from(lists.flat());
    const counts = new Uint32Array(terms);
    for (const term of this.#ordinals) counts[term] = counts[term]! + 1;
    this.#rarity = Float64Array.from(counts, (count) => (count === 0 ? 0 : Math.log(1 + items / count)));
  }

  get terms(): number {
    return this.#rarity.length;
  }

  /** Adds the vector of an item, times a weight. */
  add(profile: Float64Array, item: number, weight: number): void {
    const length = this.#lengthOf(item);
    for (const term of this.#termsOf(item)) profile[term] = profile[term]! + (weight * this.#rarity[term]!) / length;
  }

  /** The cosine of a profile and every item, 0 to 1; undefined for a profile without terms. */
  scores(profile: Float64Array): Float64Array | undefined {
    let squares = 0;
    for (const value of profile) squares += value * value;
    if (squares === 0) return undefined;
    const length = Math.sqrt(squares);
    return new Float64Array(this.#offsets.length - 1).map((_, item) => {
      let product = 0;
      for (const term of this.#termsOf(item)) product += profile[term]! * this.#rarity[term]!;
      return product === 0 ? 0 : Math.min(1, product / (length * this.#lengthOf(item)));
    });
  }

  #termsOf(item: number): Uint32Array {
    return this.#ordinals.subarray(this.#offsets[item], this.#offsets[item + 1]);
  }

  #lengthOf(item: number): number {
    let squares = 0;
    for (const term of this.#termsOf(item)) squares += this.#rarity[term]! ** 2;
    return Math.sqrt(squares);
  }
}

/** @returns how many terms there were */
function addCategories({ read }: Extract<OpenColumn, { type: 'text' }>, lists: number[][], first: number): number {
  const itemsOf = new Map<string, number[]>();
  lists.forEach((_, item) => {
    const text = read(item);
    if (typeof text !== 'string' || text === '' || text.length > longestCategory) return;
    const sharing = itemsOf.get(text);
    if (sharing === undefined) itemsOf.set(text, [item]);
    else sharing.push(item);
  });
  const shared = [...itemsOf.values()].filter(({ length }) => length > 1);
  shared.forEach((items, term) => {
    for (const item of items) lists[item]!.push(first + term);
  });
  return shared.length;
}
