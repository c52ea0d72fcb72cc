/** Some rows of a pass over everybody: in arrays, which one object a neighbour would take ten times the memory of. */

/** In the place of an item where a row has no more. */
export const noNeighbor = 0xffffffff;

/** One item or user with its neighbours, best first. */
export interface NeighborRow {
  readonly id: string;
  /** What answered: a space, `content` or `popularity`. Scores of different ones cannot be compared. Empty where nothing could. */
  readonly space: string;
  /** Item ids: min(k, items that may be returned). */
  readonly neighbors: readonly string[];
  /** One a neighbour, as in the answer to a single question. */
  readonly scores: readonly number[];
}

/** The arrays of a block, while they are filled. */
export interface NeighborArrays {
  /** Which items or users these are, by the number of each in the collection. */
  readonly rows: Uint32Array;
  readonly k: number;
  /** rows × k item numbers, best first; past counts[row] 0xFFFFFFFF. */
  readonly neighbors: Uint32Array;
  /** rows × k; past counts[row] NaN. */
  readonly scores: Float64Array;
  /** How many neighbours each row has. */
  readonly counts: Uint32Array;
  /** By row, what answered: a position in `spaceNames`. */
  readonly spaces: Uint8Array;
  readonly spaceNames: readonly string[];
}

/** How numbers become ids. */
export interface IdNames {
  readonly row: (number: number) => string;
  readonly item: (number: number) => string;
}

/**
 * Rows of a pass, in its order. Iterating gives one object a row; the arrays are there for who wants them as they are. Nothing of it changes
 * afterwards.
 */
export class NeighborBlock implements Iterable<NeighborRow> {
  /** The place of the first row in the pass. */
  readonly first: number;
  readonly k: number;
  readonly rows: Uint32Array;
  readonly neighbors: Uint32Array;
  readonly scores: Float64Array;
  readonly counts: Uint32Array;
  readonly spaces: Uint8Array;
  readonly spaceNames: readonly string[];
  readonly #names: IdNames;

  constructor(first: number, arrays: NeighborArrays, names: IdNames) {
    this.first = first;
    this.k = arrays.k;
    this.rows = arrays.rows;
    this.neighbors = arrays.neighbors;
    this.scores = arrays.scores;
    this.counts = arrays.counts;
    this.spaces = arrays.spaces;
    this.spaceNames = arrays.spaceNames;
    this.#names = names;
  }

  /** How many rows. */
  get size(): number {
    return this.rows.length;
  }

  /** The id of row r. */
  id(r: number): string {
    return this.#names.row(this.rows[r]!);
  }

  /** The id of an item by its number. */
  itemId(item: number): string {
    return this.#names.item(item);
  }

  /** What answered row r. */
  space(r: number): string {
    return this.spaceNames[this.spaces[r]!] ?? '';
  }

  *[Symbol.iterator](): IterableIterator<NeighborRow> {
    for (let r = 0; r < this.size; r++) {
      const begin = r * this.k;
      const end = begin + this.counts[r]!;
      yield {
        id: this.id(r),
        space: this.space(r),
        neighbors: Array.from(this.neighbors.subarray(begin, end), (item) => this.#names.item(item)),
        scores: Array.from(this.scores.subarray(begin, end)),
      };
    }
  }
}
