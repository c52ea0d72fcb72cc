import { NighError } from '../core/errors.js';
import type { AttributeReader, OpenColumn } from './packed-columns.js';
import type { TitleFinder } from './title-finder.js';
import type { AttributeValue } from './types.js';

/** One attribute of the items of a catalogue. */
export interface AttributeColumn {
  readonly type: OpenColumn['type'];
  readonly read: AttributeReader;
}

/** Items by ordinal, whatever holds them: as they were built, or with changes on top. */
export abstract class CatalogueLookup {
  /** Ordinals are below it; of some of them the item may be gone (`isLive`). */
  abstract readonly size: number;
  /** How many items there are. */
  abstract readonly count: number;
  /** Attributes by name. */
  abstract readonly columns: ReadonlyMap<string, AttributeColumn>;
  protected abstract readonly search: TitleFinder;

  /** Every item in the order of the ids, by their UTF-8 bytes. A view. */
  abstract get sorted(): Uint32Array;

  abstract id(item: number): string;
  abstract title(item: number): string;
  /** The item of an id, or undefined. */
  abstract find(id: string): number | undefined;
  /** Whether the item of this ordinal is there. */
  abstract isLive(item: number): boolean;
  /** The largest finite value of an attribute that is a number; −Infinity where no item has one. */
  abstract largest(attribute: string): number;

  /** What the item is known to be; attributes that it lacks are absent. */
  attributes(item: number): Readonly<Record<string, AttributeValue>> {
    const attributes: Record<string, AttributeValue> = {};
    for (const [name, { read }] of this.columns) {
      const value = read(item);
      if (value !== undefined) attributes[name] = value;
    }
    return attributes;
  }

  /** @throws NighError UNKNOWN_ITEM with the nearest titles */
  require(id: string): number {
    const item = this.find(id);
    if (item === undefined) throw this.#unknown(id, 'no item with this id', this.search.suggest(id, 3));
    return item;
  }

  /** Items by title, see TitleFinder.find. */
  findByTitle(query: string, limit: number): number[] {
    return this.search.find(query, limit);
  }

  /**
   * Exact id, else exact title (case, accents and punctuation apart), else the one item whose title has every word and the
   * fewest others.
   * @throws NighError UNKNOWN_ITEM with suggestions where none or several fit
   */
  resolve(idOrTitle: string): number {
    const byId = this.find(idOrTitle);
    if (byId !== undefined) return byId;
    for (const candidates of [this.search.entitled(idOrTitle), this.search.closest(idOrTitle)]) {
      const [only, ...others] = candidates;
      if (only === undefined) continue;
      if (others.length === 0) return only;
      throw this.#unknown(idOrTitle, `${candidates.length} items fit, so give one by its id`, candidates.slice(0, 5));
    }
    throw this.#unknown(idOrTitle, 'no item with this id or title', this.search.suggest(idOrTitle, 3));
  }

  #unknown(wanted: string, reason: string, near: readonly number[]): NighError {
    const named = near.map((item) => {
      const [id, title] = [this.id(item), this.title(item)];
      return id === title ? JSON.stringify(id) : `${JSON.stringify(title)} (id ${JSON.stringify(id)})`;
    });
    const hint = named.length === 0 ? '' : ` Near: ${named.join(', ')}.`;
    return new NighError('UNKNOWN_ITEM', `${JSON.stringify(wanted)}: ${reason}.${hint}`);
  }
}
