import { IdSet } from '../../index/id-set.js';
import type { VectorIndex } from '../../index/vector-index.js';
import type { Space } from '../space.js';
import { both, type LaterRows, laterRowsOf } from './later-rows.js';
import { LayeredIndex, type LiveRows } from './layered-index.js';

/** Where a space has an item. */
export interface Placement {
  /** What it is compared with other items by. */
  readonly similar: Float32Array;
  /** What users find it by; where users have vectors. */
  readonly recommend?: Float32Array;
}

/** One index of items and what came later. */
class ChangedIndex {
  readonly stored: VectorIndex;
  readonly later: LaterRows;
  #ended: IdSet | undefined;
  #live: IdSet | undefined;
  #size: number;

  constructor(stored: VectorIndex) {
    this.stored = stored;
    this.later = laterRowsOf(stored);
    this.#size = stored.size;
  }

  vector(item: number): Float32Array | undefined {
    return this.stored.vector(item) ?? this.later.vector(item);
  }

  async add(rows: ReadonlyMap<number, Float32Array>): Promise<void> {
    await this.later.add(rows);
    if (rows.size === 0) return;
    const added = IdSet.allow(Uint32Array.from(rows.keys()));
    this.#live = this.#live === undefined ? added : this.#live.or(added);
    this.#size += rows.size;
  }

  end(items: readonly number[], begin: number): void {
    const stored = items.filter((item) => item < begin && this.stored.vector(item) !== undefined);
    const later = items.filter((item) => item >= begin && this.later.vector(item) !== undefined);
    if (stored.length > 0) this.#ended = both(this.#ended, IdSet.deny(stored));
    if (later.length > 0) this.#live = this.#live?.and(IdSet.deny(later));
    this.#size -= stored.length + later.length;
  }

  /** As it is now. */
  index(): VectorIndex {
    if (this.#ended === undefined && this.#live === undefined) return this.stored;
    const rows: LiveRows = { stored: this.#ended, later: this.#live, size: this.#size };
    return new LayeredIndex(this.stored, this.later, rows);
  }
}

/** The vectors of a generation's space and what became of them since. */
export class ChangedSpace {
  readonly base: Space;
  readonly #similar: ChangedIndex;
  readonly #recommend: ChangedIndex | undefined;

  constructor(base: Space) {
    this.base = base;
    const { similar, recommend } = base.indexes;
    this.#similar = new ChangedIndex(similar);
    this.#recommend = recommend && new ChangedIndex(recommend);
  }

  /** Where an item is, whether or not it has ended; undefined where the space never said anything about it. */
  placement(item: number): Placement | undefined {
    const similar = this.#similar.vector(item);
    if (similar === undefined) return undefined;
    const recommend = this.#recommend?.vector(item);
    return { similar, ...(recommend === undefined ? {} : { recommend }) };
  }

  /** Adds rows and ends others, in one step for whoever asks for `space` afterwards. */
  async change(added: ReadonlyMap<number, Placement>, ended: readonly number[], begin: number): Promise<void> {
    const similar = new Map<number, Float32Array>();
    const recommend = new Map<number, Float32Array>();
    for (const [item, placement] of added) {
      similar.set(item, placement.similar);
      if (placement.recommend !== undefined) recommend.set(item, placement.recommend);
    }
    await this.#similar.add(similar);
    await this.#recommend?.add(recommend);
    this.#similar.end(ended, begin);
    this.#recommend?.end(ended, begin);
  }

  /** The space as it is now. */
  space(isGone: (user: number) => boolean, isOutdated: (user: number) => boolean): Space {
    const indexes = { similar: this.#similar.index(), recommend: this.#recommend?.index() };
    return this.base.with(indexes, isGone, isOutdated);
  }

  close(): void {
    this.#similar.later.close();
    this.#recommend?.later.close();
  }
}
