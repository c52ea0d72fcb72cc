import type { OpenColumn } from './packed-columns.js';
import type { AttributeValue } from './types.js';

/** A text is taken for a category, rather than for something to read, up to this many characters. */
const longestCategory = 64;

/**
 * What items say of themselves in tags and in texts that several items share, as vectors: an entry a term, ln(1 + items / items with it), at unit
 * length. Made when the first question needs it. Items that came later are described by the same terms, as rare as they were.
 */
export class ContentTerms {
  readonly #offsets: Uint32Array;
  readonly #ordinals: Uint32Array;
  readonly #rarity: Float64Array;
  /** By column, the term of a tag or text. */
  readonly #termOf: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** The terms of items after those that it was made of. */
  readonly #later: readonly Uint32Array[];

  private constructor(
    stored: { offsets: Uint32Array; ordinals: Uint32Array; rarity: Float64Array },
    termOf: ReadonlyMap<string, ReadonlyMap<string, number>>,
    later: readonly Uint32Array[],
  ) {
    this.#offsets = stored.offsets;
    this.#ordinals = stored.ordinals;
    this.#rarity = stored.rarity;
    this.#termOf = termOf;
    this.#later = later;
  }

  static of(columns: ReadonlyMap<string, OpenColumn>, items: number): ContentTerms {
    const lists: number[][] = Array.from({ length: items }, () => []);
    const termOf = new Map<string, Map<string, number>>();
    let terms = 0;
    for (const [name, column] of columns) {
      const known = new Map<string, number>();
      if (column.type === 'tags') {
        for (let item = 0; item < items; item++) {
          const tags = column.ordinals.subarray(column.offsets[item], column.offsets[item + 1]);
          for (const term of new Set(tags)) lists[item]!.push(terms + term);
        }
        for (let term = 0; term < column.terms.size; term++) known.set(column.terms.at(term), terms + term);
        terms += column.terms.size;
      } else if (column.type === 'text') {
        terms += addCategories(column, lists, terms, known);
      }
      termOf.set(name, known);
    }
    const offsets = new Uint32Array(items + 1);
    lists.forEach((list, item) => {
      offsets[item + 1] = offsets[item]! + list.length;
    });
    const ordinals = Uint32Array.from(lists.flat());
    const counts = new Uint32Array(terms);
    for (const term of ordinals) counts[term] = counts[term]! + 1;
    const rarity = Float64Array.from(counts, (count) => (count === 0 ? 0 : Math.log(1 + items / count)));
    return new ContentTerms({ offsets, ordinals, rarity }, termOf, []);
  }

  /** The same terms for more items, which follow those that it was made of. */
  followedBy(items: readonly Readonly<Record<string, AttributeValue | undefined>>[]): ContentTerms {
    const later = items.map((attributes) => {
      const terms = new Set<number>();
      for (const [name, known] of this.#termOf) {
        const value = attributes[name];
        for (const text of Array.isArray(value) ? value : typeof value === 'string' ? [value] : []) {
          const term = known.get(text);
          if (term !== undefined) terms.add(term);
        }
      }
      return Uint32Array.from(terms);
    });
    const stored = { offsets: this.#offsets, ordinals: this.#ordinals, rarity: this.#rarity };
    return new ContentTerms(stored, this.#termOf, later);
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
    return new Float64Array(this.#offsets.length - 1 + this.#later.length).map((_, item) => {
      let product = 0;
      for (const term of this.#termsOf(item)) product += profile[term]! * this.#rarity[term]!;
      return product === 0 ? 0 : Math.min(1, product / (length * this.#lengthOf(item)));
    });
  }

  #termsOf(item: number): Uint32Array {
    const stored = this.#offsets.length - 1;
    if (item >= stored) return this.#later[item - stored]!;
    return this.#ordinals.subarray(this.#offsets[item], this.#offsets[item + 1]);
  }

  #lengthOf(item: number): number {
    let squares = 0;
    for (const term of this.#termsOf(item)) squares += this.#rarity[term]! ** 2;
    return Math.sqrt(squares);
  }
}

/** @returns how many terms there were */
function addCategories(
  { read }: Extract<OpenColumn, { type: 'text' }>,
  lists: number[][],
  first: number,
  known: Map<string, number>,
): number {
  const itemsOf = new Map<string, number[]>();
  lists.forEach((_, item) => {
    const text = read(item);
    if (typeof text !== 'string' || text === '' || text.length > longestCategory) return;
    const sharing = itemsOf.get(text);
    if (sharing === undefined) itemsOf.set(text, [item]);
    else sharing.push(item);
  });
  const shared = [...itemsOf].filter(([, { length }]) => length > 1);
  shared.forEach(([text, items], term) => {
    known.set(text, first + term);
    for (const item of items) lists[item]!.push(first + term);
  });
  return shared.length;
}
