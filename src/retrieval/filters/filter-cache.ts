import { type Attributes, compile } from './compile.js';
import type { ItemSet } from './item-set.js';
import type { Predicate } from './predicate.js';

const mostSets = 256;
const mostBytes = 64 * 1024 * 1024;

/** A predicate with what tells it from others. */
export interface KeyedPredicate {
  readonly predicate: Predicate;
  /** Equal for predicates that mean the same, as far as can be told from how they are written. */
  readonly key: string;
}

/** The sets of the predicates that were asked for last: at most 256, and at most 64 MiB of them beside the one at hand. */
export class FilterCache {
  readonly #attributes: Attributes;
  readonly #sets = new Map<string, ItemSet>();
  readonly #room: number;

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
    // A byte an item, and up to half a byte for the bits that a search filters by.
    this.#room = Math.min(mostSets, Math.max(1, Math.floor(mostBytes / (1.5 * Math.max(1, attributes.items)))));
  }

  /** How many sets are kept. */
  get size(): number {
    return this.#sets.size;
  }

  /** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
  setOf({ predicate, key }: KeyedPredicate): ItemSet {
    const known = this.#sets.get(key);
    const set = known ?? compile(predicate, this.#attributes);
    // Moved to the end: the one at the front was not asked for the longest.
    if (known !== undefined) this.#sets.delete(key);
    this.#sets.set(key, set);
    for (const oldest of this.#sets.keys()) {
      if (this.#sets.size <= this.#room) break;
      this.#sets.delete(oldest);
    }
    return set;
  }
}
