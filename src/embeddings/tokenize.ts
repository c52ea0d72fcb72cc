/**
 * Text → tokens.
 *
 * Words are found by the Unicode rules of Intl.Segmenter (UAX 29), so that every script works. On top of them, in order:
 *
 * 1. NFKC, so that ligatures and full-width letters compare equal, and one kind of apostrophe.
 * 2. Names are taken apart, for package names, file names and identifiers: at `.`, `_`, `-`, `/`, `@` always (a decimal number
 *    stays whole), and at the humps of camelCase, where the whole name is kept as well (`bodyParser` → bodyparser body parser),
 *    because some write `bodyparser` and others `body-parser`.
 * 3. Lower case.
 * 4. Stopwords are dropped (lists of the package stopword), and numbers where they are not wanted.
 * 5. Stemming (Snowball).
 *
 * What stands between two spaces is read once, however often it comes: finding words is what takes the time.
 */
import { choice, flag, type ParamsOf } from '../core/params.js';
import { detached } from '../data/detached-text.js';

type StopwordList = keyof typeof import('stopword');

interface LanguageLists {
  /** Name of the stopword list. */
  readonly stopwords?: StopwordList;
  /** Name of the stemmer. */
  readonly stemmer?: string;
}

/** ISO 639-1 code → what there is for the language; `none` breaks words by the rules for all, drops none and cuts none. */
const languages = {
  none: {},
  ar: { stopwords: 'ara', stemmer: 'arabic' },
  bg: { stopwords: 'bul' },
  ca: { stopwords: 'cat', stemmer: 'catalan' },
  cs: { stopwords: 'ces', stemmer: 'czech' },
  da: { stopwords: 'dan', stemmer: 'danish' },
  de: { stopwords: 'deu', stemmer: 'german' },
  el: { stopwords: 'ell' },
  en: { stopwords: 'eng', stemmer: 'english' },
  es: { stopwords: 'spa', stemmer: 'spanish' },
  eu: { stopwords: 'eus', stemmer: 'basque' },
  fa: { stopwords: 'fas' },
  fi: { stopwords: 'fin', stemmer: 'finnish' },
  fr: { stopwords: 'fra', stemmer: 'french' },
  ga: { stopwords: 'gle', stemmer: 'irish' },
  he: { stopwords: 'heb' },
  hi: { stopwords: 'hin' },
  hr: { stopwords: 'hrv' },
  hu: { stopwords: 'hun', stemmer: 'hungarian' },
  hy: { stopwords: 'hye', stemmer: 'armenian' },
  id: { stopwords: 'ind' },
  it: { stopwords: 'ita', stemmer: 'italian' },
  ja: { stopwords: 'jpn' },
  ko: { stopwords: 'kor' },
  nl: { stopwords: 'nld', stemmer: 'dutch' },
  no: { stopwords: 'nob', stemmer: 'norwegian' },
  pl: { stopwords: 'pol' },
  pt: { stopwords: 'por', stemmer: 'portuguese' },
  ro: { stopwords: 'ron', stemmer: 'romanian' },
  ru: { stopwords: 'rus', stemmer: 'russian' },
  sk: { stopwords: 'slk' },
  sl: { stopwords: 'slv', stemmer: 'slovene' },
  sv: { stopwords: 'swe', stemmer: 'swedish' },
  th: { stopwords: 'tha' },
  tr: { stopwords: 'tur', stemmer: 'turkish' },
  uk: { stopwords: 'ukr' },
  vi: { stopwords: 'vie' },
  zh: { stopwords: 'zho' },
} as const satisfies Record<string, LanguageLists>;

export type Language = keyof typeof languages;

export const tokenizerSchema = {
  /**
   * Language of word breaks, stopwords and stems, ISO 639-1; `none` for several languages, or one that is not listed: then no word is
   * dropped or cut. Some languages have stopwords but no stemmer.
   */
  language: choice(Object.keys(languages) as Language[], { default: 'en' }),
  /** Drop the words of the language's stopword list. */
  stopwords: flag({ default: true }),
  /** Keep words of digits only: the year of a title says more about its time than about its kind. */
  numbers: flag({ default: true }),
  /** Cut words to their stem, so that `dogs` meets `dog`. */
  stem: flag({ default: true }),
};

export type TokenizerParams = ParamsOf<typeof tokenizerSchema>;

/** Text → tokens, in the order of the text, repeats included. */
export type Tokenizer = (text: string) => string[];

/** Loads what the parameters need (lists and stemmers only where they are used). */
export async function createTokenizer({ language, stopwords, numbers, stem }: TokenizerParams): Promise<Tokenizer> {
  const names: LanguageLists = languages[language];
  const segmenter = new Intl.Segmenter(language === 'none' ? 'und' : language, { granularity: 'word' });
  const list = stopwords && names.stopwords !== undefined ? (await import('stopword'))[names.stopwords] : [];
  const dropped = new Set<string>(list);
  const stemmer =
    stem && names.stemmer !== undefined ? (await import('snowball-stemmers')).newStemmer(names.stemmer) : undefined;
  const reduced = (name: string): readonly string[] => {
    const word = name.toLowerCase();
    if (dropped.has(word) || (!numbers && digits.test(word))) return [];
    return [stemmer === undefined ? word : stemmer.stem(word)];
  };
  const read = (piece: string): readonly string[] => {
    const words = Array.from(segmenter.segment(piece)).filter(({ isWordLike }) => isWordLike === true);
    return words.flatMap(({ segment }) => splitName(segment).flatMap(reduced));
  };
  const known = new Map<string, readonly string[]>();
  const tokensOf = (piece: string): readonly string[] => {
    if (piece.length > longestKnown) return read(piece);
    let found = known.get(piece);
    if (found === undefined) {
      found = read(piece);
      if (known.size >= mostKnown) known.clear();
      known.set(detached(piece), found);
    }
    return found;
  };

  return (text) => {
    const tokens: string[] = [];
    for (const piece of text.normalize('NFKC').replaceAll('’', "'").split(spaces)) {
      for (const token of tokensOf(piece)) tokens.push(token);
    }
    return tokens;
  };
}

/** No word goes across these, in any language (UAX 29: no rule joins them to a letter), so what is between two can be read alone. */
const spaces = /[\t-\r ]+/;
/** Pieces that are remembered: not the sentences of a script without spaces, nor all that a service is asked for in years. */
const longestKnown = 40;
const mostKnown = 200_000;

const digits = /^[\p{Nd}.,]+$/u;
const decimal = /^\d+(?:[.,]\d+)+$/u;
const separators = /[._]+/u;
/** Before a capital that follows a small letter or digit, and before the last capital of a run that a small letter follows. */
const humps = /(?<=[\p{Ll}\d])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;

/** The parts of one word-like segment; a camelCase name is followed by its parts. */
function splitName(segment: string): string[] {
  if (decimal.test(segment)) return [segment];
  const parts: string[] = [];
  for (const part of segment.split(separators)) {
    if (part === '') continue;
    parts.push(part);
    const pieces = part.split(humps);
    if (pieces.length > 1) parts.push(...pieces);
  }
  return parts;
}
