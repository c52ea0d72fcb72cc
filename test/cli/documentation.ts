/** Reads the code blocks of a Markdown page, with what an HTML comment above a block says of it. */

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** 1-based, of the opening fence. */
  readonly line: number;
  /** `<!-- file: path -->`: the block is the content of this file. */
  readonly file?: string;
  /** `<!-- not run: reason -->`: why the tests do not run it. */
  readonly notRun?: string;
}

/** Code blocks in the order of the page. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const lines = markdown.split('\n');
  const blocks: CodeBlock[] = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w*)$/.exec(lines[i] ?? '');
    if (fence === null) continue;
    const end = lines.indexOf('```', i + 1);
    if (end < 0) throw new Error(`The code block that opens in line ${i + 1} is never closed.`);
    const comment = /^<!-- (file|not run): (.+) -->$/.exec(lines[i - 1] ?? '');
    blocks.push({
      language: fence[1] ?? '',
      text: lines.slice(i + 1, end).join('\n'),
      line: i + 1,
      ...(comment?.[1] === 'file' ? { file: comment[2] ?? '' } : {}),
      ...(comment?.[1] === 'not run' ? { notRun: comment[2] ?? '' } : {}),
    });
    i = end;
  }
  return blocks;
}

/** Commands of a shell block: its lines, or those after a `$ ` where the block also shows output. */
export function commands({ text }: CodeBlock): string[] {
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  const prompted = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
  return prompted.length > 0 ? prompted : lines.filter((line) => line.trim() !== '' && !line.startsWith('#'));
}
