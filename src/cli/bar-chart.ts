/**
 * Figures of some models as bars, one group a figure: an SVG document by itself. The chart libraries that are well kept draw into a browser's
 * document or bring one with them; bars and labels are not worth that.
 */

export interface BarGroup {
  readonly title: string;
  readonly bars: readonly { readonly label: string; readonly value: number }[];
}

const width = 720;
const labelWidth = 220;
const valueWidth = 64;
const barHeight = 18;
const titleHeight = 34;
const margin = 16;

/** Bars of one group share a scale from 0 to its largest value; a value that is not a number has no bar. */
export function barChart(title: string, groups: readonly BarGroup[]): string {
  const body: string[] = [];
  let y = margin + titleHeight;
  for (const group of groups) {
    body.push(`<text x="${margin}" y="${y + 20}" class="group">${escaped(group.title)}</text>`);
    y += titleHeight;
    const largest = Math.max(0, ...group.bars.map(({ value }) => (Number.isFinite(value) ? value : 0)));
    for (const { label, value } of group.bars) {
      const known = Number.isFinite(value);
      const room = width - 2 * margin - labelWidth - valueWidth;
      const length = known && largest > 0 ? Math.max(0, (room * value) / largest) : 0;
      const middle = y + barHeight / 2;
      const left = margin + labelWidth;
      body.push(
        `<text x="${left - 8}" y="${middle}" class="label">${escaped(label)}</text>`,
        `<rect x="${left}" y="${y + 2}" width="${length.toFixed(1)}" height="${barHeight - 4}"/>`,
        `<text x="${(left + length + 6).toFixed(1)}" y="${middle}" class="value">${known ? value.toFixed(4) : '–'}</text>`,
      );
      y += barHeight;
    }
  }
  const height = y + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    '<style>text{font:12px sans-serif;fill:#222;dominant-baseline:middle}.title{font-size:15px;font-weight:bold}.group{font-weight:bold}.label{text-anchor:end}rect{fill:#4c78a8}</style>',
    `<rect width="${width}" height="${height}" style="fill:#fff"/>`,
    `<text x="${margin}" y="${margin + 10}" class="title">${escaped(title)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

/** Names come from recipes: nothing of them may be read as markup, and control characters have no place in XML. */
function escaped(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
