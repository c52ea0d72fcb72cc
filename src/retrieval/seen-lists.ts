import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import type { Dataset } from '../data/dataset.js';
import { weightedRatings } from '../embeddings/popularity.js';

/** The stored form: users × items by compressed rows. */
export interface PackedInteractions {
  readonly items: number;
  readonly offsets: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Float32Array;
  /** Unix seconds, one an entry, NaN where one has no time; absent where the source has no times, and in collections built before they were kept. */
  readonly timestamps?: Float64Array;
}

/** What a user did with an item. */
export interface Interaction {
  readonly item: number;
  readonly value: number;
  /** Unix seconds. */
  readonly timestamp: number | undefined;
}

/** How high items are rated: the weighted rating of each (embeddings/popularity.ts), between the lowest and the highest value that was given. */
export interface RatedItems {
  readonly scores: Float64Array;
  readonly lowest: number;
  readonly highest: number;
}

/** What every user did: to leave out of answers what they already have, and to tell their taste where they have no vector. */
export class SeenLists {
  readonly #offsets: Uint32Array;
  readonly #columns: Uint32Array;
  readonly #values: Float32Array;
  readonly #timestamps: Float64Array | undefined;
  #rated: RatedItems | undefined;
  #sums: Float64Array | undefined;

  /** How many users interacted with every item. */
  readonly popularity: Uint32Array;
  /** How many interacted with the item that most did. */
  readonly mostPopular: number;

  /** @throws NighError FORMAT */
  constructor({ items, offsets, columns, values, timestamps }: PackedInteractions) {
    const fits =
      offsets instanceof Uint32Array &&
      columns instanceof Uint32Array &&
      values instanceof Float32Array &&
      offsets.length > 0 &&
      offsets[0] === 0 &&
      offsets.at(-1) === columns.length &&
      values.length === columns.length &&
      (timestamps === undefined || (timestamps instanceof Float64Array && timestamps.length === columns.length));
    if (!fits) throw new NighError('FORMAT', 'The stored interactions contradict themselves.');
    for (let u = 1; u < offsets.length; u++) {
      if (offsets[u]! < offsets[u - 1]!)
        throw new NighError('FORMAT', `The stored interactions go backwards at user ${u}.`);
    }
    this.popularity = new Uint32Array(items);
    for (const item of columns) {
      if (item >= items) throw new NighError('FORMAT', `The stored interactions refer to item ${item} of ${items}.`);
      this.popularity[item] = this.popularity[item]! + 1;
    }
    this.mostPopular = this.popularity.reduce((most, count) => Math.max(most, count), 0);
    this.#offsets = offsets;
    this.#columns = columns;
    this.#values = values;
    this.#timestamps = timestamps;
  }

  get users(): number {
    return this.#offsets.length - 1;
  }

  get interactions(): number {
    return this.#columns.length;
  }

  /**
   * The values taken as ratings. Computed when it is first asked for, in one pass over the interactions.
   * @throws NighError EMPTY_DATASET without interactions
   */
  get rated(): RatedItems {
    if (this.#rated === undefined) {
      const all = new CsrMatrix(this.users, this.popularity.length, this.#offsets, this.#columns, this.#values);
      this.#rated = { scores: new Float64Array(weightedRatings(all)), ...this.range };
    }
    return this.#rated;
  }

  /** The lowest and the highest value; of none the infinities. */
  get range(): { readonly lowest: number; readonly highest: number } {
    return {
      lowest: this.#values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
      highest: this.#values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
    };
  }

  /** The sum of the values of every item. */
  get sums(): Float64Array {
    if (this.#sums === undefined) {
      this.#sums = new Float64Array(this.popularity.length);
      for (const [e, item] of this.#columns.entries()) this.#sums[item] = this.#sums[item]! + this.#values[e]!;
    }
    return this.#sums;
  }

  /** The items that a user interacted with, ascending. A view. */
  itemsOf(user: number): Uint32Array {
    return this.#columns.subarray(this.#offsets[user], this.#offsets[user + 1]);
  }

  /** What a user did, by item, ascending. */
  pastOf(user: number): Interaction[] {
    const past: Interaction[] = [];
    for (let e = this.#offsets[user]!; e < this.#offsets[user + 1]!; e++) {
      const timestamp = this.#timestamps?.[e] ?? Number.NaN;
      past.push({
        ...{ item: this.#columns[e]!, value: this.#values[e]! },
        timestamp: Number.isNaN(timestamp) ? undefined : timestamp,
      });
    }
    return past;
  }

  /** Whether a user's past is another than their fitted vector was made from. */
  hasChanged(_user: number): boolean {
    return false;
  }

  /** Those of whom that is true. */
  get changed(): readonly number[] {
    return [];
  }

  /** Users who were forgotten. */
  get gone(): readonly number[] {
    return [];
  }

  static pack({ interactions, timestamps }: Pick<Dataset, 'interactions' | 'timestamps'>): PackedInteractions {
    const { cols, offsets, columns, values } = interactions;
    return { items: cols, offsets, columns, values, ...(timestamps === undefined ? {} : { timestamps }) };
  }
}

/** What users did, whatever holds it: as it was built, or with changes on top. */
export type Pasts = Omit<Pick<SeenLists, keyof SeenLists>, 'sums' | 'range'>;
