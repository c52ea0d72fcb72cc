/**
 * Strings ↔ ordinals: the ordinal of a string is its position, from 0. Strings live outside, uint32 ordinals everywhere below
 * retrieval.
 */
export class Vocabulary {
  readonly #terms: string[];
  readonly #ordinals: Map<string, number>;

  /** Keeps `terms` (do not change it afterwards); terms must be distinct. */
  constructor(terms: string[] = []) {
    this.#terms = terms;
    this.#ordinals = new Map(terms.map((term, ordinal) => [term, ordinal]));
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

  /** The term of an ordinal that is known to be in range. */
  term(ordinal: number): string {
    const term = this.#terms[ordinal];
    if (term === undefined) throw new RangeError(`ordinal ${ordinal} is outside a vocabulary of ${this.size}`);
    return term;
  }
}
