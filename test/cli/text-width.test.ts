import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textWidth, truncate } from '../../src/cli/text-width.js';

describe('columns on a terminal', () => {
  test.each([
    ['plain', 5],
    ['', 0],
    ['naïve', 5],
    ['nai\u0308ve', 5],
    ['東京', 4],
    ['한국', 4],
    ['ｆｕｌｌ', 8],
    ['🍎', 2],
    ['👩‍👩‍👧‍👦', 2],
    ['🇨🇭', 2],
    ['1️⃣', 2],
    ['👍🏽', 2],
    ['❤️', 2],
    ['→', 1],
    ['a\u200bb', 2],
  ])('%j takes %i', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  test('a shortened text never takes more than it may, and one that fits is left alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(30), (text, columns) => {
        const shown = truncate(text, columns);
        expect(textWidth(shown)).toBeLessThanOrEqual(columns);
        if (textWidth(text) <= columns) expect(shown).toBe(text);
        else if (columns > 0) expect(shown.endsWith('…')).toBe(true);
      }),
    );
  });
});
