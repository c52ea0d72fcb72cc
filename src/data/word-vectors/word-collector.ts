import { NighError } from '../../core/errors.js';
import { findNotFinite } from '../../core/matrix.js';
import { detached } from '../detached-text.js';
import { GrowableArray } from '../growable-array.js';
import type { WordFilter, WordVectors } from './word-vectors.js';

/** Collects the vectors that are wanted, each word once. */
export class WordCollector {
  readonly #words: string[] = [];
  readonly #known = new Set<string>();
  readonly #values = GrowableArray.float32();
  readonly #row: Float32Array;
  #position = 0;

  constructor(
    private readonly path: string,
    dim: number,
    private readonly keep: WordFilter,
  ) {
    this.#row = new Float32Array(dim);
  }

  /** How many words the file has had so far. */
  get seen(): number {
    return this.#position;
  }

  /** Whether the next word of the file is wanted: `add` must follow if it is, and must not if it is not. */
  wants(word: string): boolean {
    return this.keep(word, this.#position++) && !this.#known.has(word);
  }

  /**
   * @param fill writes the word's vector
   * @throws NighError NOT_FINITE, and what `fill` throws
   */
  add(word: string, fill: (row: Float32Array) => void): void {
    fill(this.#row);
    if (findNotFinite(this.#row) >= 0) {
      throw new NighError(
        'NOT_FINITE',
        `${this.path}: the vector of ${JSON.stringify(word)} has a value that is no number.`,
      );
    }
    this.#values.append(this.#row);
    const own = detached(word);
    this.#words.push(own);
    this.#known.add(own);
  }

  collected(): WordVectors {
    const data = this.#values.view().slice();
    return { words: this.#words, matrix: { data, rows: this.#words.length, dim: this.#row.length } };
  }
}
