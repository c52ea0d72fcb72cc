import { NighError } from '../../core/errors.js';
import type { FetchContext } from '../load-context.js';
import { readText, type TextEncoding } from './read-text.js';

/** A line longer than this, in characters, is taken for a file that is not text. */
const longestLine = 1 << 24;

/**
 * Calls `visit` with every line of a text file and its number, from 1, without its `\n` or `\r\n`. Memory: a chunk and a line.
 * @throws NighError as readText; INVALID_RECORD for a line without end; and whatever `visit` throws, which ends the reading
 */
export async function readLines(
  path: string,
  encoding: TextEncoding,
  context: FetchContext,
  visit: (line: string, number: number) => void,
): Promise<void> {
  let rest = '';
  let number = 0;
  for await (const text of readText(path, encoding, context, () => number)) {
    let begin = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', begin)) {
      const line = begin === 0 ? rest + text.slice(0, end) : text.slice(begin, end);
      begin = end + 1;
      number++;
      visit(withoutReturn(line), number);
    }
    rest = begin === 0 ? rest + text : text.slice(begin);
    if (rest.length > longestLine) {
      throw new NighError(
        'INVALID_RECORD',
        `${path}:${number + 1}: the line is longer than ${longestLine} characters.`,
      );
    }
  }
  if (rest !== '') visit(withoutReturn(rest), number + 1);
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
