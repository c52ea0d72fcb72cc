import { NighError } from '../core/errors.js';
import type { Dataset } from '../data/dataset.js';
import { type OpenColumn, openColumn, type PackedColumn, packColumn } from './packed-columns.js';
import { type PackedStringIndex, StringIndex } from './string-index.js';
import { type PackedStrings, StringList } from './string-list.js';
import { type PackedTitleSearch, TitleSearch } from './title-search.js';
import type { AttributeValue } from './types.js';

/** The stored form of a Catalogue. */
export interface PackedCatalogue {
  readonly ids: PackedStringIndex;
  /** Null where every item's title is its id. */
  readonly titles: PackedStrings | null;
  readonly search: PackedTitleSearch;
  readonly columns: Readonly<Record<string, PackedColumn>>;
}

/** Items by ordinal: ids, titles, attributes, and the ways to find one. */
export class Catalogue {
  readonly #ids: StringIndex;
  readonly #titles: StringList;
  readonly #search: TitleSearch;
  /** Attributes by name. */
  readonly columns: ReadonlyMap<string, OpenColumn>;

  /**
   * @param popularity interactions by item, for the order of what is found
   * @throws NighError FORMAT
   */
  constructor(packed: PackedCatalogue, popularity: Uint32Array) {
    this.#ids = new StringIndex(packed.ids);
    this.#titles = packed.titles === null ? this.#ids : new StringList(packed.titles);
    if (this.#titles.size !== this.#ids.size)
      throw new NighError('FORMAT', 'The stored items have another number of titles.');
    this.#search = new TitleSearch(packed.search, popularity);
    const items = this.#ids.size;
    this.columns = new Map(
      Object.entries(packed.columns).map(([name, column]) => [name, openColumn(name, column, items)]),
    );
  }

  get size(): number {
    return this.#ids.size;
  }

  /** Every item in the order of the ids, by their UTF-8 bytes. A view. */
  get sorted(): Uint32Array {
    return this.#ids.startingWith('');
  }

  id(item: number): string {
    return this.#ids.at(item);
  }

  title(item: number): string {
    return this.#titles.at(item);
  }

  /** What the item is known to be; attributes that it lacks are absent. */
  attributes(item: number): Readonly<Record<string, AttributeValue>> {
    const attributes: Record<string, AttributeValue> = {};
    for (const [name, { read }] of this.columns) {
      const value = read(item);
      if (value !== undefined) attributes[name] = value;
    }
    return attributes;
  }

  /** The item of an id, or undefined. */
  find(id: string): number | undefined {
    return this.#ids.find(id);
  }

  /** @throws NighError UNKNOWN_ITEM with the nearest titles */
  require(id: string): number {
    const item = this.find(id);
    if (item === undefined) throw this.#unknown(id, 'no item with this id', this.#search.suggest(id, 3));
    return item;
  }

  /** Items by title, see TitleSearch.find. */
  findByTitle(query: string, limit: number): number[] {
    return this.#search.find(query, limit);
  }

  /**
   * Exact id, else exact title (case, accents and punctuation apart), else the one item whose title has every word and the
   * fewest others.
   * @throws NighError UNKNOWN_ITEM with suggestions where none or several fit
   */
  resolve(idOrTitle: string): number {
    const byId = this.find(idOrTitle);
    if (byId !== undefined) return byId;
    for (const candidates of [this.#search.named(idOrTitle), this.#search.closest(idOrTitle)]) {
      const [only, ...others] = candidates;
      if (only === undefined) continue;
      if (others.length === 0) return only;
      throw this.#unknown(idOrTitle, `${candidates.length} items fit, so give one by its id`, candidates.slice(0, 5));
    }
    throw this.#unknown(idOrTitle, 'no item with this id or title', this.#search.suggest(idOrTitle, 3));
  }

  #unknown(wanted: string, reason: string, near: readonly number[]): NighError {
    const named = near.map((item) => {
      const [id, title] = [this.id(item), this.title(item)];
      return id === title ? JSON.stringify(id) : `${JSON.stringify(title)} (id ${JSON.stringify(id)})`;
    });
    const hint = named.length === 0 ? '' : ` Near: ${named.join(', ')}.`;
    return new NighError('UNKNOWN_ITEM', `${JSON.stringify(wanted)}: ${reason}.${hint}`);
  }

  static pack({ items, titles, columns }: Dataset): PackedCatalogue {
    const same = titles.every((title, item) => title === items.terms[item]);
    return {
      ids: StringIndex.index(items.terms),
      titles: same ? null : StringList.pack(titles),
      search: TitleSearch.pack(titles),
      columns: Object.fromEntries([...columns].map(([name, column]) => [name, packColumn(column)])),
    };
  }
}
