import type { Column } from '../../data/dataset.js';
import { compile } from '../filters/compile.js';
import type { FilterCache, KeyedPredicate } from '../filters/filter-cache.js';
import { ItemSet } from '../filters/item-set.js';
import { type OpenColumn, openColumn, packColumn } from '../packed-columns.js';
import type { ChangedItems, Moment } from './changed-items.js';

/** What of later items meets the predicates of a generation's sets: since an ordinal never changes, each is looked at once. */
type KnownLater = WeakMap<ItemSet, Uint8Array>;

/** Predicates at a moment: the generation's sets, continued by what came later. */
export class LiveFilters {
  readonly #base: FilterCache;
  readonly #items: ChangedItems;
  readonly #end: number;
  readonly #known: KnownLater;
  readonly #continued = new WeakMap<ItemSet, ItemSet>();

  /** @param known shared by all moments of one generation */
  constructor(base: FilterCache, items: ChangedItems, { items: end }: Moment, known: KnownLater) {
    this.#base = base;
    this.#items = items;
    this.#end = end;
    this.#known = known;
  }

  /** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
  setOf(keyed: KeyedPredicate): ItemSet {
    const stored = this.#base.setOf(keyed);
    const { begin } = this.#items;
    if (this.#end === begin) return stored;
    const continued = this.#continued.get(stored);
    if (continued !== undefined) return continued;
    let mask = this.#known.get(stored) ?? new Uint8Array(0);
    if (begin + mask.length < this.#end) {
      const first = begin + mask.length;
      const more = compile(keyed.predicate, { columns: this.#columns(first, this.#end), items: this.#end - first });
      const grown = new Uint8Array(this.#end - begin);
      grown.set(mask);
      for (let at = first; at < this.#end; at++) grown[at - begin] = more.has(at - first) ? 1 : 0;
      this.#known.set(stored, grown);
      mask = grown;
    }
    const set = new ItemSet(mask.subarray(0, this.#end - begin), stored);
    this.#continued.set(stored, set);
    return set;
  }

  /** The attributes of a range of later items, as the generation has them of its own. */
  #columns(begin: number, end: number): Map<string, OpenColumn> {
    const count = end - begin;
    const columns = new Map<string, OpenColumn>();
    for (const [name, { type }] of this.#items.base.columns) {
      const values = Array.from({ length: count }, (_, i) => this.#items.later(begin + i).attributes[name]);
      columns.set(name, openColumn(name, packColumn({ type, values } as Column), count));
    }
    return columns;
  }
}
