import { NighError } from '../../core/errors.js';
import { GrowableArray } from '../growable-array.js';
import type { WordFilter, WordVectors } from './word-vectors.js';

/** Collects the vectors that are wanted, each word once. */
export class WordCollector {
  readonly #words: string[] = [];
  readonly #known = new Set<string>();
  readonly #values = GrowableArray.float32();
  #position = 0;

  constructor(
    private readonly path: string,
    private readonly dim: number,
    private readonly keep: WordFilter,
  ) {}

  /** How many words the file has had so far. */
  get seen(): number {
    return this.#position;
  }

  /** Whether the next word of the file is wanted: `add` must follow if it is, and must not if it is not. */
  wants(word: string): boolean {
    return this.keep(word, this.#position++) && !this.#known.has(word);
  }

  /** @throws NighError NOT_FINITE */
  add(word: string, value: (d: number) => number): void {
    for (let d = 0; d < this.dim; d++) {
      const number = Math.fround(value(d));
      if (!Number.isFinite(number)) {
        throw new NighError(
          'NOT_FINITE',
          `${this.path}: the vector of ${JSON.stringify(word)} has a value that is no number.`,
        );
      }
      this.#values.push(number);
    }
    // Its own copy: a word cut out of a line would keep the line alive.
    const copy = Buffer.from(word).toString();
    this.#words.push(copy);
    this.#known.add(copy);
  }

  collected(): WordVectors {
    const data = this.#values.view().slice();
    return { words: this.#words, matrix: { data, rows: this.#words.length, dim: this.dim } };
  }
}
