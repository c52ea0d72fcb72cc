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

/** The ways to read one piece, the best first. */
type Readings = readonly (readonly string[])[];

/** Every word that some reading of the text holds. */
export function candidateWords(text: string, splitting: WordSplitting): Set<string> {
  const words = new Set<string>();
  for (const readings of piecesOf(text, splitting)) {
    for (const reading of readings) for (const word of reading) words.add(word);
  }
  return words;
}

/** The known words of the text, in its order, repeats included; and how many pieces had none. */
export function knownWords(
  text: string,
  splitting: WordSplitting,
  isKnown: (word: string) => boolean,
): { words: string[]; unknown: number } {
  const words: string[] = [];
  let unknown = 0;
  for (const readings of piecesOf(text, splitting)) {
    const found = readings.find((reading) => reading.some(isKnown));
    if (found === undefined) unknown++;
    else words.push(...found.filter(isKnown));
  }
  return { words, unknown };
}

function* piecesOf(text: string, { lowerCase, numbers }: WordSplitting): Generator<Readings> {
  const plain = text.normalize('NFKC').replaceAll('’', "'");
  for (const piece of (lowerCase ? plain.toLowerCase() : plain).split(/\s+/u)) {
    const bare = piece.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
    if (bare === '') continue;
    const parts = bare.split(/[^\p{L}\p{M}\p{N}]+/u).filter((part) => part !== '');
    const readings = [[piece], [bare], bare.split(/(?=')/u), parts].map((reading) =>
      numbers ? reading : reading.filter((word) => !/^[^\p{L}]*$/u.test(word)),
    );
    if (readings.some((reading) => reading.length > 0)) yield readings;
  }
}
