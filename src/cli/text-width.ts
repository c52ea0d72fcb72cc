/**
 * How many columns a text takes on a terminal, so that tables align whatever script or emoji a title is in. Widths follow Unicode's
 * East Asian Width (UAX 11: wide and fullwidth take two columns) and emoji presentation (UTS 51), counted by grapheme cluster.
 */

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Combining marks, joiners, variation selectors and controls: they take no column of their own. */
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;
/** A cluster that is drawn as a picture: emoji by default, by a variation selector, a keycap, a flag. */
const pictorial = /\p{Emoji_Presentation}|\uFE0F|\u20E3|\p{Regional_Indicator}/u;

/** First and last code points of the wide and fullwidth blocks. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18aff],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
];

/** Columns that a text takes. */
export function textWidth(text: string): number {
  // Most titles are plain ASCII; they need no segmenting.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += clusterWidth(segment);
  return width;
}

/** The text, shortened with an ellipsis where it takes more columns than `columns`. */
export function truncate(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  if (columns < 1) return '';
  let kept = '';
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    width += clusterWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

function clusterWidth(cluster: string): number {
  if (zeroWidth.test(cluster)) return 0;
  if (pictorial.test(cluster)) return 2;
  const point = cluster.codePointAt(0) ?? 0;
  return wideRanges.some(([first, last]) => point >= first && point <= last) ? 2 : 1;
}
