/**
 * A pass over everybody: the top k of every item or user, block after block.
 *
 * 1. The rows are put in the order of their ids (plan.ts).
 * 2. While who asked works on one block, the next is searched (search-block.ts), so that the cores stay busy and two blocks are held at most.
 * 3. What no batch can answer is asked as a single question (ask-rows.ts).
 */
import { setMaxListeners } from 'node:events';
import { invalidArgument } from '../../core/errors.js';
import { askRows } from './ask-rows.js';
import { type IdNames, NeighborBlock, type NeighborRow, noNeighbor } from './block.js';
import { rememberedTexts } from './id-texts.js';
import type { NeighborsPlan } from './plan.js';
import { searchBlock } from './search-block.js';

/**
 * The neighbours of every item or user, from `Retriever.neighbors`. Iterate to have them; each iteration is a pass of its own, which stops its
 * work when it is left.
 *
 * ```ts
 * for await (const block of movies.neighbors({ k: 20 })) {
 *   for (const { id, neighbors, scores } of block) await store.put(id, neighbors, scores);
 * }
 * ```
 */
export class Neighbors implements AsyncIterable<NeighborBlock> {
  readonly #plan: NeighborsPlan;
  readonly #track: <T>(work: Promise<T>) => Promise<T>;
  readonly #names: IdNames;

  /** Not for users. @param track what keeps the collection open while the work is under way; throws once it was closed */
  constructor(plan: NeighborsPlan, track: <T>(work: Promise<T>) => Promise<T>) {
    this.#plan = plan;
    this.#track = track;
    const { catalogue, users } = plan.collection;
    const item = rememberedTexts((number) => catalogue.id(number));
    this.#names = { item, row: plan.of === 'items' ? item : (number) => users.at(number) };
  }

  get of(): 'items' | 'users' {
    return this.#plan.of;
  }

  /** The largest number of neighbours that a row has. */
  get k(): number {
    return this.#plan.query.k;
  }

  /** How many rows the pass has: all items, or users, of its shard. */
  get rows(): number {
    return this.#plan.rows.length;
  }

  /** How many rows a block has; the last may have fewer. */
  get blockRows(): number {
    return this.#plan.blockRows;
  }

  /** Of the collection. */
  get generation(): string {
    return this.#plan.collection.manifest.generation;
  }

  /** How many items the collection has: they have the numbers below it. */
  get items(): number {
    return this.#plan.collection.catalogue.size;
  }

  /** Equal for passes that give the same rows: of one generation, one question and one shard. */
  get fingerprint(): string {
    return this.#plan.fingerprint;
  }

  /** The id of an item by its number. */
  itemId(item: number): string {
    return this.#names.item(item);
  }

  /**
   * @throws NighError while it is iterated: ABORTED, CLOSED, OUT_OF_MEMORY
   */
  [Symbol.asyncIterator](): AsyncGenerator<NeighborBlock, void> {
    return this.from(0);
  }

  /** Row after row, where blocks are of no use. */
  async *each(): AsyncGenerator<NeighborRow, void> {
    for await (const block of this) yield* block;
  }

  /**
   * The same without the first rows.
   * @param row where to begin: a multiple of `blockRows`, or `rows`
   * @throws NighError INVALID_ARGUMENT
   */
  async *from(row: number): AsyncGenerator<NeighborBlock, void> {
    const { rows, blockRows, query } = this.#plan;
    if (!Number.isSafeInteger(row) || row < 0 || row > rows.length || (row % blockRows !== 0 && row !== rows.length)) {
      throw invalidArgument('row', `a multiple of ${blockRows} of at most ${rows.length}`, row);
    }
    const left = new AbortController();
    const signal = query.signal === undefined ? left.signal : AbortSignal.any([query.signal, left.signal]);
    // Every search under way listens to it.
    setMaxListeners(0, signal);
    const begin = (first: number): Promise<NeighborBlock> | undefined => {
      if (first >= rows.length) return undefined;
      const work = this.#track(this.#block(first, signal));
      // It may fail before anybody waits for it; who does hears of it all the same.
      work.catch(() => {});
      return work;
    };
    let coming = begin(row);
    try {
      for (let first = row; coming !== undefined; first += blockRows) {
        const block = await coming;
        coming = begin(first + blockRows);
        yield block;
      }
    } finally {
      left.abort();
      await coming?.catch(() => {});
    }
  }

  async #block(first: number, signal: AbortSignal): Promise<NeighborBlock> {
    const { rows, blockRows, query, spaces } = this.#plan;
    const some = rows.slice(first, first + blockRows);
    const { k } = query;
    const spaceNames = (spaces ?? []).map(({ name }) => name);
    const none = 255;
    const arrays = {
      rows: some,
      k,
      neighbors: new Uint32Array(some.length * k).fill(noNeighbor),
      scores: new Float64Array(some.length * k).fill(Number.NaN),
      counts: new Uint32Array(some.length),
      spaces: new Uint8Array(some.length).fill(none),
      spaceNames,
    };
    const left = spaces === undefined ? Array.from(some.keys()) : await searchBlock(this.#plan, spaces, arrays, signal);
    const nameSpace = (name: string): number => {
      const at = spaceNames.indexOf(name);
      return at >= 0 ? at : spaceNames.push(name) - 1;
    };
    await askRows(this.#plan, arrays, left, nameSpace, signal);
    return new NeighborBlock(first, arrays, this.#names);
  }
}
