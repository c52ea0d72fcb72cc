/**
 * The texts of a fit, cut into pieces once. Texts share most of their pieces, so each distinct piece is read once too, whatever the
 * vocabulary turns out to be: first all that a piece may be read as is wanted from the file of vectors, then what the file has decides.
 */
import { GrowableArray } from '../data/growable-array.js';
import { knownReading, piecesOf, type Readings, readingsOf, type WordSplitting } from './glove-words.js';

/** The known words of texts, by ordinal: those of text t are words[offsets[t] … offsets[t + 1]). */
export interface TextWords {
  readonly offsets: Uint32Array;
  readonly words: Uint32Array;
  /** Pieces of which no word is known. */
  readonly unknown: number;
}

/** A piece without anything that counts, such as a dash. */
const nothing = -1;

export class GloveTexts {
  /** Every word that some reading of a piece holds. */
  readonly candidates = new Set<string>();
  readonly #splitting: WordSplitting;
  readonly #ordinals = new Map<string, number>();
  /** By ordinal of the piece. */
  readonly #readings: Readings[] = [];
  /** Of all texts, one after another. */
  readonly #pieces = GrowableArray.uint32();
  readonly #offsets = GrowableArray.uint32();

  constructor(splitting: WordSplitting) {
    this.#splitting = splitting;
    this.#offsets.push(0);
  }

  /** Adds one text, which may be in several parts. */
  add(parts: readonly string[]): void {
    for (const part of parts) {
      for (const piece of piecesOf(part, this.#splitting)) {
        const ordinal = this.#ordinals.get(piece) ?? this.#number(piece);
        if (ordinal !== nothing) this.#pieces.push(ordinal);
      }
    }
    this.#offsets.push(this.#pieces.length);
  }

  /** What of the texts a vocabulary knows. */
  words(ordinals: ReadonlyMap<string, number>): TextWords {
    const isKnown = (word: string) => ordinals.has(word);
    const known = this.#readings.map((readings) => knownReading(readings, isKnown)?.map((word) => ordinals.get(word)!));
    const words = GrowableArray.uint32();
    const pieces = this.#pieces.view();
    const ends = this.#offsets.view();
    const offsets = new Uint32Array(ends.length);
    let unknown = 0;
    for (let text = 0; text + 1 < ends.length; text++) {
      for (let at = ends[text]!; at < ends[text + 1]!; at++) {
        const own = known[pieces[at]!];
        if (own === undefined) unknown++;
        else for (const word of own) words.push(word);
      }
      offsets[text + 1] = words.length;
    }
    return { offsets, words: words.view(), unknown };
  }

  #number(piece: string): number {
    const readings = readingsOf(piece, this.#splitting);
    const ordinal = readings.length === 0 ? nothing : this.#readings.push(readings) - 1;
    this.#ordinals.set(piece, ordinal);
    for (const reading of readings) for (const word of reading) this.candidates.add(word);
    return ordinal;
  }
}
