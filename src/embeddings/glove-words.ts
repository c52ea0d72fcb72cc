/**
 * Text → the words of a vocabulary of word vectors.
 *
 * GloVe's words are pieces of text between spaces, in lower case, with punctuation cut off, compounds whole (`left-wing`) and
 * contractions apart (`it`, `'s`); other vocabularies cut a little differently. So each piece is read in the way that keeps most of it
 * together and of which a word is known: as it stands, without the punctuation around it, cut before its apostrophe, cut at
 * everything that is neither letter nor digit.
 */

export interface WordSplitting {
  readonly lowerCase: boolean;
  /** Whether words of digits only count. */
  readonly numbers: boolean;
}

/** The ways to read one piece, the best first; none for a piece that holds nothing that counts. */
export type Readings = readonly (readonly string[])[];

/** The text between spaces. */
export function piecesOf(text: string, { lowerCase }: WordSplitting): string[] {
  const plain = text.normalize('NFKC').replaceAll('’', "'");
  return (lowerCase ? plain.toLowerCase() : plain).split(/\s+/u);
}

export function readingsOf(piece: string, { numbers }: WordSplitting): Readings {
  // Every way to read a piece of letters only is the piece itself.
  if (/^\p{L}+$/u.test(piece)) return [[piece]];
  const bare = piece.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
  if (bare === '') return [];
  const parts = bare.split(/[^\p{L}\p{M}\p{N}]+/u).filter((part) => part !== '');
  const readings = [[piece]];
  if (bare !== piece) readings.push([bare]);
  if (bare.includes("'")) readings.push(bare.split(/(?=')/u));
  if (parts.length !== 1 || parts[0] !== bare) readings.push(parts);
  if (numbers) return readings;
  const worded = readings.map((reading) => reading.filter((word) => !/^[^\p{L}]*$/u.test(word)));
  return worded.some((reading) => reading.length > 0) ? worded : [];
}

/** The known words of the best reading that has one; undefined where none has. */
export function knownReading(readings: Readings, isKnown: (word: string) => boolean): readonly string[] | undefined {
  return readings.find((reading) => reading.some(isKnown))?.filter(isKnown);
}

/** The known words of the text, in its order, repeats included. */
export function knownWords(text: string, splitting: WordSplitting, isKnown: (word: string) => boolean): string[] {
  return piecesOf(text, splitting).flatMap((piece) => knownReading(readingsOf(piece, splitting), isKnown) ?? []);
}
