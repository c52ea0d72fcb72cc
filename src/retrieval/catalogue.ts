import { NighError } from '../core/errors.js';
import type { Dataset } from '../data/dataset.js';
import { CatalogueLookup } from './catalogue-lookup.js';
import { type OpenColumn, openColumn, type PackedColumn, packColumn } from './packed-columns.js';
import { type PackedStringIndex, StringIndex } from './string-index.js';
import { type PackedStrings, StringList } from './string-list.js';
import { type PackedTitleSearch, TitleSearch } from './title-search.js';

/** The stored form of a Catalogue. */
export interface PackedCatalogue {
  readonly ids: PackedStringIndex;
  /** Null where every item's title is its id. */
  readonly titles: PackedStrings | null;
  readonly search: PackedTitleSearch;
  readonly columns: Readonly<Record<string, PackedColumn>>;
}

/** Items by ordinal as they were built: ids, titles, attributes, and the ways to find one. */
export class Catalogue extends CatalogueLookup {
  readonly #ids: StringIndex;
  readonly #titles: StringList;
  readonly #largest = new Map<string, number>();
  override readonly search: TitleSearch;
  override readonly columns: ReadonlyMap<string, OpenColumn>;

  /**
   * @param popularity interactions by item, for the order of what is found
   * @throws NighError FORMAT
   */
  constructor(packed: PackedCatalogue, popularity: Uint32Array) {
    super();
    this.#ids = new StringIndex(packed.ids);
    this.#titles = packed.titles === null ? this.#ids : new StringList(packed.titles);
    if (this.#titles.size !== this.#ids.size)
      throw new NighError('FORMAT', 'The stored items have another number of titles.');
    this.search = new TitleSearch(packed.search, popularity);
    const items = this.#ids.size;
    this.columns = new Map(
      Object.entries(packed.columns).map(([name, column]) => [name, openColumn(name, column, items)]),
    );
  }

  override get size(): number {
    return this.#ids.size;
  }

  override get sorted(): Uint32Array {
    return this.#ids.sorted;
  }

  override get count(): number {
    return this.#ids.size;
  }

  override id(item: number): string {
    return this.#ids.at(item);
  }

  override title(item: number): string {
    return this.#titles.at(item);
  }

  override find(id: string): number | undefined {
    return this.#ids.find(id);
  }

  override isLive(item: number): boolean {
    return item < this.size;
  }

  override largest(attribute: string): number {
    const known = this.#largest.get(attribute);
    if (known !== undefined) return known;
    const column = this.columns.get(attribute);
    let largest = Number.NEGATIVE_INFINITY;
    if (column?.type === 'number') {
      for (const value of column.values) if (value > largest && value < Number.POSITIVE_INFINITY) largest = value;
    }
    this.#largest.set(attribute, largest);
    return largest;
  }

  /** @throws NighError CAPACITY, ABORTED */
  static async pack(
    {
      items,
      titles,
      columns,
    }: Pick<Dataset, 'titles' | 'columns'> & { readonly items: Pick<Dataset['items'], 'terms'> },
    signal?: AbortSignal,
  ): Promise<PackedCatalogue> {
    const same = titles.every((title, item) => title === items.terms[item]);
    return {
      ids: await StringIndex.index(items.terms, signal),
      titles: same ? null : StringList.pack(titles),
      search: await TitleSearch.pack(titles, signal),
      columns: Object.fromEntries([...columns].map(([name, column]) => [name, packColumn(column)])),
    };
  }
}
