import type { CatalogueLookup } from '../catalogue-lookup.js';
import { ItemSet } from './item-set.js';

/**
 * Items that no answer may hold, whoever asks: named lists, each set as a whole. A change is one assignment, so that every question sees
 * all of it or nothing, and the next one sees it.
 */
export class Stoplists {
  readonly #catalogue: CatalogueLookup;
  readonly #lists = new Map<string, readonly string[]>();
  #hidden: ItemSet | undefined;

  /** @param lists those that hold from the beginning */
  constructor(catalogue: CatalogueLookup, lists: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#catalogue = catalogue;
    for (const [name, ids] of lists) this.#lists.set(name, ids);
    this.#hide();
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
    this.#hide();
  }

  #hide(): void {
    const items = [...this.#lists.values()].flatMap((list) => list.flatMap((id) => this.#catalogue.find(id) ?? []));
    this.#hidden = items.length === 0 ? undefined : ItemSet.of(items, this.#catalogue.size);
  }
}
