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
  /** By ordinal of the piece; the word alone where it can be read as one word only, as most can. */
  readonly #readings: (string | Readings)[] = [];
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
    const known = this.#knownWords(ordinals);
    const words = GrowableArray.uint32();
    const pieces = this.#pieces.view();
    const ends = this.#offsets.view();
    const offsets = new Uint32Array(ends.length);
    let unknown = 0;
    for (let text = 0; text + 1 < ends.length; text++) {
      for (let at = ends[text]!; at < ends[text + 1]!; at++) {
        const piece = pieces[at]!;
        const [begin, end] = [known.offsets[piece]!, known.offsets[piece + 1]!];
        if (begin === end) unknown++;
        for (let w = begin; w < end; w++) words.push(known.words[w]!);
      }
      offsets[text + 1] = words.length;
    }
    return { offsets, words: words.view(), unknown };
  }

  /** The known words of each piece. */
  #knownWords(ordinals: ReadonlyMap<string, number>): Omit<TextWords, 'unknown'> {
    const isKnown = (word: string) => ordinals.has(word);
    const words = GrowableArray.uint32();
    const offsets = new Uint32Array(this.#readings.length + 1);
    for (const [piece, readings] of this.#readings.entries()) {
      if (typeof readings === 'string') {
        const ordinal = ordinals.get(readings);
        if (ordinal !== undefined) words.push(ordinal);
      } else {
        for (const word of knownReading(readings, isKnown) ?? []) words.push(ordinals.get(word)!);
      }
      offsets[piece + 1] = words.length;
    }
    return { offsets, words: words.view() };
  }

  #number(piece: string): number {
    const readings = readingsOf(piece, this.#splitting);
    const [first, second] = readings;
    const only = second === undefined && first?.length === 1 ? first[0] : undefined;
    const ordinal = readings.length === 0 ? nothing : this.#readings.push(only ?? readings) - 1;
    this.#ordinals.set(piece, ordinal);
    for (const reading of readings) for (const word of reading) this.candidates.add(word);
    return ordinal;
  }
}
