import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readParams } from '../../src/core/params.js';
import { createTokenizer, tokenizerSchema } from '../../src/embeddings/tokenize.js';

const tokenizer = (params: Record<string, unknown>) => createTokenizer(readParams(tokenizerSchema, params, ''));
const plain = { stopwords: false, stem: false };

describe('tokenizer', () => {
  it('finds the words that the rules of Unicode find in the text as a whole', async () => {
    const part = fc.oneof(
      fc.constantFrom(
        ...[
          'dog',
          "don't",
          'U.S.A',
          'e.g.',
          '3.14',
          '1,000;',
          ':',
          "'tis",
          'socket_io',
          '-',
          '(so)',
          'naïve',
          'e\u0301',
          '\u0301',
        ],
        ...[
          '東京都に住む',
          'สวัสดีครับ',
          '한국어',
          '👩‍🍳',
          '🇩🇪',
          '\u200d',
          '\u00ad',
          '\ufeff',
          '\u00a0',
          '\u3000',
          '\u2028',
          'אב״ג',
        ],
        ...[' ', ' ', ' ', '  ', '\n', '\t', '\r\n', '\v'],
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    );
    const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
    for (const language of ['none', 'en', 'ja', 'th', 'sv']) {
      const tokenize = await tokenizer({ ...plain, language });
      const segmenter = new Intl.Segmenter(language === 'none' ? 'und' : language, { granularity: 'word' });
      fc.assert(
        fc.property(text, (given) => {
          const plainText = given.normalize('NFKC').replaceAll('’', "'");
          const words = [...segmenter.segment(plainText)].filter(({ isWordLike }) => isWordLike);
          // A sign such as ⺀ is a word beside an ideograph, and none alone.
          fc.pre(words.every(({ segment }) => [...segmenter.segment(segment)].every(({ isWordLike }) => isWordLike)));
          expect(tokenize(given)).toEqual(words.flatMap(({ segment }) => tokenize(segment)));
        }),
        { numRuns: 300 },
      );
    }
  });

  it('takes names apart as their parts are written in other names', async () => {
    const tokenize = await tokenizer(plain);
    expect(tokenize('express-session')).toEqual(['express', 'session']);
    expect(tokenize('@scope/pkg.name_part')).toEqual(['scope', 'pkg', 'name', 'part']);
    expect(tokenize('socket.io')).toEqual(['socket', 'io']);
    expect(tokenize('bodyParser')).toEqual(['bodyparser', 'body', 'parser']);
    expect(tokenize('HTMLParser2')).toEqual(['htmlparser2', 'html', 'parser2']);
    expect(tokenize('_.debounce__fn')).toEqual(['debounce', 'fn']);
  });

  it('keeps decimal numbers whole, and leaves numbers out where they are not wanted', async () => {
    expect((await tokenizer(plain))('version 3.14 of 1995')).toEqual(['version', '3.14', 'of', '1995']);
    const without = await tokenizer({ ...plain, numbers: false });
    expect(without('Toy Story 2 (1995), 3.14 and es6')).toEqual(['toy', 'story', 'and', 'es6']);
  });

  it('finds words in scripts without spaces, and treats compatible letters alike', async () => {
    const japanese = await tokenizer({ ...plain });
    expect(japanese('日本語の単語')).toEqual(['日本語', 'の', '単語']);
    expect(japanese('ＦＵＬＬ ｗｉｄｔｈ ﬁne')).toEqual(['full', 'width', 'fine']);
  });

  it('drops stopwords and stems by language', async () => {
    const english = await tokenizer({});
    expect(english('The dogs and the running packages')).toEqual(['dog', 'run', 'packag']);
    expect(english('The dog’s ears')).toEqual(['dog', 'ear']);
    const german = await tokenizer({ language: 'de' });
    expect(german('die Häuser und das Haus')).toEqual(['haus', 'haus']);
  });

  it('drops and cuts no word of no language, and cuts none where a language has no stemmer', async () => {
    expect((await tokenizer({ language: 'none' }))('The dogs, running')).toEqual(['the', 'dogs', 'running']);
    expect((await tokenizer({ language: 'ja' }))('日本語の単語')).toEqual(['日本語', '単語']);
  });

  it('refuses an unknown language, naming a near one', () => {
    expect(() => readParams(tokenizerSchema, { language: 'enn' }, 'text')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/text\.language.*"en"/) }),
    );
  });
});
