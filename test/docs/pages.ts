/** What the generated pages have in common. */

export interface GeneratedPage {
  /** Below docs/reference/. */
  readonly file: string;
  readonly text: string;
}

/** A table of Markdown; bars inside of cells are kept from ending them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

const cell = (text: string) =>
  text
    .replace(/\s*\n\s*/g, ' ')
    .replaceAll('|', '\\|')
    .trim();

/** Paragraphs with an empty line between them, an end of the line, and where the page comes from. */
export function page(file: string, title: string, source: string, parts: readonly string[]): GeneratedPage {
  const note = `<!-- Generated from ${source} by \`npm run docs\`: change that instead. -->`;
  return { file, text: `${[`# ${title}`, note, ...parts].join('\n\n')}\n` };
}
