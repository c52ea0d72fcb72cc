import { describe, invalidArgument, NighError } from './errors.js';

/**
 * Strings ↔ ordinals: the ordinal of a string is its position, from 0. Strings live outside, uint32 ordinals everywhere below
 * retrieval.
 */
export class Vocabulary {
  readonly #terms: string[];
  readonly #ordinals: Map<string, number>;

  /**
   * Keeps `terms` (do not change it afterwards).
   * @throws NighError DUPLICATE_ID when a term occurs twice
   */
  constructor(terms: string[] = []) {
    this.#terms = terms;
    this.#ordinals = new Map();
    for (let ordinal = 0; ordinal < terms.length; ordinal++) this.#ordinals.set(terms[ordinal]!, ordinal);
    if (this.#ordinals.size !== terms.length) {
      const repeated = terms.find((term, ordinal) => this.#ordinals.get(term) !== ordinal);
      throw new NighError('DUPLICATE_ID', `A vocabulary needs distinct terms; ${describe(repeated)} occurs twice.`);
    }
  }

  get size(): number {
    return this.#terms.length;
  }

  /** Every term, by ordinal. */
  get terms(): readonly string[] {
    return this.#terms;
  }

  /** The ordinal of a term, appending it if it is new. */
  add(term: string): number {
    const known = this.#ordinals.get(term);
    if (known !== undefined) return known;
    const ordinal = this.#terms.length;
    this.#terms.push(term);
    this.#ordinals.set(term, ordinal);
    return ordinal;
  }

  /** The ordinal of a term, or undefined. */
  ordinal(term: string): number | undefined {
    return this.#ordinals.get(term);
  }

  /**
   * The term of an ordinal.
   * @throws NighError INVALID_ARGUMENT for an ordinal outside the vocabulary
   */
  term(ordinal: number): string {
    const term = this.#terms[ordinal];
    if (term === undefined) throw invalidArgument('ordinal', `an integer below ${this.size}`, ordinal);
    return term;
  }
}
