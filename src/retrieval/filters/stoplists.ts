import type { Catalogue } from '../catalogue.js';
import { ItemSet } from './item-set.js';

/**
 * Items that no answer may hold, whoever asks: named lists, each set as a whole. A change is one assignment, so that every question sees
 * all of it or nothing, and the next one sees it.
 */
export class Stoplists {
  readonly #catalogue: Catalogue;
  readonly #lists = new Map<string, readonly string[]>();
  #hidden: ItemSet | undefined;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /** Those that are on a list, or undefined where none is. */
  get hidden(): ItemSet | undefined {
    return this.#hidden;
  }

  /** The lists by name, as they were set. */
  get lists(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.#lists);
  }

  /** Puts a list in the place of the one of this name. Ids that the catalogue does not have wait for it to have them. */
  set(name: string, ids: readonly string[]): void {
    if (ids.length === 0) this.#lists.delete(name);
    else this.#lists.set(name, [...ids]);
    const items = [...this.#lists.values()].flatMap((list) => list.flatMap((id) => this.#catalogue.find(id) ?? []));
    this.#hidden = items.length === 0 ? undefined : ItemSet.of(items, this.#catalogue.size);
  }
}
