import { CsrMatrix, tripletOrder } from '../core/csr-matrix.js';
import { describe, invalidArgument, NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { Vocabulary } from '../core/vocabulary.js';
import type { Column, Dataset, DatasetOrigin } from './dataset.js';
import { subsetDataset } from './dataset-subset.js';
import { detached } from './detached-text.js';
import { GrowableArray } from './growable-array.js';

/** What becomes of several interactions of one user with one item. */
export type MergePolicy =
  /** The one with the largest timestamp counts; without timestamps, and among equal ones, the one added last. For ratings. */
  | 'last'
  /** The values are added up in float32, and the largest timestamp is kept. For counts. */
  | 'sum';

/** What becomes of interactions with items that are not in the catalogue. */
export type UnknownItemPolicy =
  /** The item joins the catalogue with its id as its title and without attributes. */
  | 'add'
  /** The interactions are left out. */
  | 'skip'
  /** `build` throws INVALID_RECORD. */
  | 'error';

export interface BuilderOptions {
  /** Default `last`. */
  readonly merge?: MergePolicy;
  /** Default `error`. */
  readonly unknownItems?: UnknownItemPolicy;
  /** Whether every interaction has a timestamp. Default false: then a timestamp that is given is refused. */
  readonly timestamps?: boolean;
  /** Name and type of every attribute. Default: none. */
  readonly columns?: Readonly<Record<string, Column['type']>>;
}

/** Attribute values of one item by column name; a column that is left out is unknown for this item. */
export type ItemAttributes = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/**
 * Collects items and interactions, in any order, and makes a Dataset of them. Ordinals are given in the order in which ids are
 * first seen. Takes time and memory linear in what was added: 12 bytes an interaction (20 with timestamps), up to half as much again
 * in reserve, and twice that once more during `build`, which works on the calling thread (some seconds for 20 million interactions).
 */
export class DatasetBuilder {
  readonly #origin: DatasetOrigin;
  readonly #merge: MergePolicy;
  readonly #unknownItems: UnknownItemPolicy;
  readonly #columns = new Map<string, Column>();
  readonly #items = new Vocabulary();
  readonly #users = new Vocabulary();
  /** By item ordinal; undefined for an item that only interactions have named. */
  readonly #titles: (string | undefined)[] = [];
  readonly #tags = new Map<string, string>();
  readonly #interactionUsers = GrowableArray.uint32();
  readonly #interactionItems = GrowableArray.uint32();
  readonly #values = GrowableArray.float32();
  readonly #timestamps: GrowableArray<Float64Array> | undefined;

  constructor(origin: DatasetOrigin, options: BuilderOptions = {}) {
    this.#origin = origin;
    this.#merge = options.merge ?? 'last';
    this.#unknownItems = options.unknownItems ?? 'error';
    this.#timestamps = options.timestamps ? GrowableArray.float64() : undefined;
    for (const [name, type] of Object.entries(options.columns ?? {})) this.#columns.set(name, { type, values: [] });
  }

  /** Interactions added so far, before merging. */
  get interactionCount(): number {
    return this.#values.length;
  }

  /**
   * Adds an item to the catalogue.
   * @returns its ordinal
   * @throws NighError DUPLICATE_ID when the item was added before; UNKNOWN_OPTION for an attribute without a column;
   * INVALID_ARGUMENT for an attribute of another type than its column's, or a number that is not finite
   */
  addItem(id: string, title: string, attributes: ItemAttributes = {}): number {
    const ordinal = this.itemOrdinal(id);
    if (this.#titles[ordinal] !== undefined) throw new NighError('DUPLICATE_ID', `Item ${describe(id)} occurs twice.`);
    // Attributes are checked before the item is in: a caller that survives the error finds it as it was.
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) this.#checkAttribute(id, name, value);
    }
    this.#titles[ordinal] = detached(title);
    for (const [name, value] of Object.entries(attributes)) {
      const column = this.#columns.get(name);
      if (column !== undefined) (column.values as ItemAttributes[string][])[ordinal] = this.#kept(value);
    }
    return ordinal;
  }

  /** The ordinal of an item for `addInteractionAt`; a new id is given one, and counts as unknown until `addItem` names it. */
  itemOrdinal(id: string): number {
    const known = this.#items.ordinal(id);
    if (known !== undefined) return known;
    this.#titles.push(undefined);
    for (const column of this.#columns.values()) column.values.push(undefined);
    return this.#items.add(detached(id));
  }

  /** The ordinal of a user for `addInteractionAt`; a new id is given one. */
  userOrdinal(id: string): number {
    return this.#users.ordinal(id) ?? this.#users.add(detached(id));
  }

  /**
   * Adds one interaction.
   * @param value rating, count or 1: finite in float32
   * @param timestamp Unix seconds: needed if and only if the builder was made with `timestamps`
   * @throws NighError INVALID_ARGUMENT
   */
  addInteraction(user: string, item: string, value: number, timestamp?: number): void {
    this.addInteractionAt(this.userOrdinal(user), this.itemOrdinal(item), value, timestamp);
  }

  /** `addInteraction` by ordinals from `userOrdinal` and `itemOrdinal`, for sources that name one of them many times in a row. */
  addInteractionAt(user: number, item: number, value: number, timestamp?: number): void {
    if (!Number.isFinite(Math.fround(value)))
      throw invalidArgument('value', 'a number that is finite in float32', value);
    if (this.#timestamps === undefined) {
      if (timestamp !== undefined)
        throw invalidArgument('timestamp', 'none: this builder was made without timestamps', timestamp);
    } else {
      if (timestamp === undefined || !Number.isFinite(timestamp)) {
        throw invalidArgument('timestamp', 'Unix seconds', timestamp);
      }
      this.#timestamps.push(timestamp);
    }
    this.#interactionUsers.push(user);
    this.#interactionItems.push(item);
    this.#values.push(value);
  }

  /**
   * Merges what was added. Call once; the builder is of no use afterwards. An item without interactions stays in the catalogue; a
   * user all of whose interactions are left out by `unknownItems: 'skip'` does not stay.
   * @throws NighError EMPTY_DATASET when there is no item; INVALID_RECORD for unknown items under `unknownItems: 'error'`
   */
  build(): Dataset {
    const unknown = this.#titles.reduce((count, title) => (title === undefined ? count + 1 : count), 0);
    if (unknown > 0 && this.#unknownItems === 'error') {
      const first = this.#items.term(this.#titles.indexOf(undefined));
      throw new NighError(
        'INVALID_RECORD',
        `${this.#origin.name}: ${unknown} of the items in the interactions are not in the catalogue, first ${describe(first)}. ` +
          'Set unknownItems to "add" or "skip" if that is expected.',
      );
    }
    const all: Dataset = {
      origin: this.#origin,
      items: this.#items,
      users: this.#users,
      titles: this.#titles.map((title, ordinal) => title ?? this.#items.term(ordinal)),
      columns: this.#columns,
      ...this.#mergeInteractions(),
    };
    const dataset = unknown > 0 && this.#unknownItems === 'skip' ? this.#withoutUnknownItems(all) : all;
    if (dataset.items.size === 0) throw new NighError('EMPTY_DATASET', `${this.#origin.name} has no items.`);
    return dataset;
  }

  #withoutUnknownItems(all: Dataset): Dataset {
    const keepItem = Uint8Array.from(this.#titles, (title) => (title === undefined ? 0 : 1));
    const keepUser = new Uint8Array(all.users.size);
    const { offsets, columns } = all.interactions;
    for (let user = 0; user < keepUser.length; user++) {
      for (let e = offsets[user]!; e < offsets[user + 1]!; e++) keepUser[user]! |= keepItem[columns[e]!]!;
    }
    return subsetDataset(all, keepItem, keepUser);
  }

  #mergeInteractions(): Pick<Dataset, 'interactions' | 'timestamps'> {
    const users = this.#interactionUsers.view();
    const items = this.#interactionItems.view();
    const given = this.#values.view();
    const times = this.#timestamps?.view();
    const shape = { rows: this.#users.size, cols: this.#items.size };
    const order = tripletOrder(shape, users, items);

    const offsets = new Uint32Array(shape.rows + 1);
    const columns = new Uint32Array(order.length);
    const values = new Float32Array(order.length);
    const timestamps = times && new Float64Array(order.length);
    let size = 0;
    let previousUser = -1;
    for (const at of order) {
      const user = users[at]!;
      const item = items[at]!;
      const value = given[at]!;
      const time = times === undefined ? 0 : times[at]!;
      if (user === previousUser && columns[size - 1] === item) {
        const newer = timestamps === undefined || time >= timestamps[size - 1]!;
        if (this.#merge === 'sum') values[size - 1]! += value;
        else if (newer) values[size - 1] = value;
        if (newer && timestamps !== undefined) timestamps[size - 1] = time;
        continue;
      }
      columns[size] = item;
      values[size] = value;
      if (timestamps !== undefined) timestamps[size] = time;
      size++;
      offsets[user + 1]!++;
      previousUser = user;
    }
    for (let user = 0; user < shape.rows; user++) offsets[user + 1]! += offsets[user]!;
    return {
      interactions: new CsrMatrix(shape.rows, shape.cols, offsets, trimmed(columns, size), trimmed(values, size)),
      ...(timestamps === undefined ? {} : { timestamps: trimmed(timestamps, size) }),
    };
  }

  /** What is kept of an attribute value: tags repeat from item to item, so one copy of each is enough. */
  #kept(value: ItemAttributes[string]): ItemAttributes[string] {
    if (typeof value === 'string') return detached(value);
    if (typeof value !== 'object') return value;
    return value.map((tag) => {
      const known = this.#tags.get(tag);
      if (known !== undefined) return known;
      const copy = detached(tag);
      this.#tags.set(copy, copy);
      return copy;
    });
  }

  #checkAttribute(id: string, name: string, value: string | number | readonly string[]): void {
    const type = this.#columns.get(name)?.type;
    if (type === undefined) {
      const known = [...this.#columns.keys()];
      throw new NighError(
        'UNKNOWN_OPTION',
        `Item ${describe(id)}: there is no column ${describe(name)}.${didYouMean(name, known)}`,
      );
    }
    const fits = {
      text: typeof value === 'string',
      number: typeof value === 'number' && Number.isFinite(value),
      tags: Array.isArray(value) && value.every((tag) => typeof tag === 'string'),
    }[type];
    if (!fits) {
      const expected = { text: 'a string', number: 'a finite number', tags: 'an array of strings' }[type];
      throw invalidArgument(`${name} of item ${describe(id)}`, expected, value);
    }
  }
}

/** The first entries, without a copy where that is all of them. */
function trimmed<A extends Uint32Array | Float32Array | Float64Array>(array: A, length: number): A {
  return length === array.length ? array : (array.slice(0, length) as A);
}
