/** Reads the code blocks of a Markdown page, with what the line above a block says of it. */

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** 1-based, of the opening fence. */
  readonly line: number;
  /** A path in backquotes, alone in the line above: the block is the content of this file. */
  readonly file?: string;
  /** `<!-- not run: reason -->`: why the tests do not run it. */
  readonly notRun?: string;
  /** `<!-- output -->`: what the block before it prints. `<!-- output of one run -->`: as much of it as is always there are the lines without figures. */
  readonly output?: 'always' | 'once';
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
    const above = lines[i - 1] ?? '';
    const file = /^`([\w./-]+)`$/.exec(above)?.[1];
    const notRun = /^<!-- not run: (.+) -->$/.exec(above)?.[1];
    blocks.push({
      language: fence[1] ?? '',
      text: lines.slice(i + 1, end).join('\n'),
      line: i + 1,
      ...(file === undefined ? {} : { file }),
      ...(notRun === undefined ? {} : { notRun }),
      ...(above === '<!-- output -->' ? { output: 'always' } : {}),
      ...(above === '<!-- output of one run -->' ? { output: 'once' } : {}),
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

/** The output that a shell block itself shows below its `$ ` lines, if it has such lines. */
export function shownBelowPrompts({ text }: CodeBlock): string | undefined {
  const lines = text.split('\n');
  if (!lines.some((line) => line.startsWith('$ '))) return undefined;
  return lines.filter((line) => !line.startsWith('$ ')).join('\n');
}

/**
 * The first line in which what was printed is not what a page shows; undefined where it is. `…` stands for anything, alone in a line for any
 * number of lines. Times may differ, and decimals by two in the last place or a hundred-thousandth: another instruction set rounds otherwise.
 */
export function firstDifference(shown: string, printed: string): string | undefined {
  const wanted = linesOf(shown);
  const found = linesOf(printed);
  let at = 0;
  for (const [i, line] of wanted.entries()) {
    if (line === '…') {
      const next = wanted[i + 1];
      at = next === undefined ? found.length : found.findIndex((other, n) => n >= at && alike(next, other));
      if (at < 0) return `nothing like: ${next}`;
    } else {
      const other = found[at++];
      if (other === undefined || !alike(line, other)) return `shown:   ${line}\nprinted: ${other ?? '(no more)'}`;
    }
  }
  return at < found.length ? `not shown: ${found[at]}` : undefined;
}

/** The same of what comes out differently each time: the lines without figures have to be there, in their order. */
export function firstMissing(shown: string, printed: string): string | undefined {
  const found = linesOf(printed);
  let at = 0;
  return linesOf(shown)
    .filter((line) => !/\d/.test(line))
    .find((line) => {
      at = found.indexOf(line, at) + 1;
      return at === 0;
    });
}

function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(times, '(time)').replace(/\s+/g, ' ').trim());
  return lines.filter((line) => line !== '');
}

/** 6.48 ms, 1 min 28 s, 83 rows/s. */
const times = /\d[\d,]*(?:\.\d+)? ?(?:(?:ms|µs|s|min|h)\b(?: \d+ (?:s|min)\b)?|[a-z]+\/s\b)/g;
const number = String.raw`-?\d[\d,]*(?:\.\d+)?`;

function alike(shown: string, printed: string): boolean {
  const parts = shown.split(new RegExp(`(…|${number})`));
  const pattern = parts.map((part, i) => {
    if (i % 2 === 0) return part.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
    return part === '…' ? '.*' : `(${number})`;
  });
  const match = new RegExp(`^${pattern.join('')}$`).exec(printed);
  if (match === null) return false;
  let group = 1;
  return parts.every((part, i) => {
    if (i % 2 === 0 || part === '…') return true;
    return near(part, match[group++] ?? '');
  });
}

function near(shown: string, printed: string): boolean {
  const decimals = shown.split('.')[1]?.length;
  if (decimals === undefined || !printed.includes('.')) return shown === printed;
  const [a = 0, b = 0] = [shown, printed].map((text) => Number(text.replaceAll(',', '')));
  return Math.abs(a - b) <= Math.max(2.01 * 10 ** -decimals, 1e-5 * Math.abs(a));
}
