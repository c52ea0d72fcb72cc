import { NighError } from '../../core/errors.js';
import type { FetchContext } from '../load-context.js';
import { readLines } from '../sources/read-lines.js';
import { place } from '../sources/record-values.js';
import { WordCollector } from './word-collector.js';
import type { WordFilter, WordVectors } from './word-vectors.js';

const mostDimensions = 65_536;

/**
 * `word 0.1 -0.2 …`, one a line. A first line of two whole numbers is a header, count and dimensions, as word2vec and fastText write;
 * without it the first line says how many dimensions there are. A word may hold spaces (some of GloVe's do): its numbers are the
 * last ones of the line.
 * @throws NighError as readLines; INVALID_RECORD with the line, TRUNCATED where there are fewer words than the header says, NOT_FINITE
 */
export async function readTextWordVectors(path: string, keep: WordFilter, context: FetchContext): Promise<WordVectors> {
  let promised: number | undefined;
  let dim: number | undefined;
  let collector: WordCollector | undefined;
  await readLines(path, 'utf-8', context, (line, number) => {
    const trimmed = line.trimEnd();
    if (number === 1) {
      const header = /^(\d+) (\d+)$/.exec(trimmed);
      if (header !== null) {
        promised = Number(header[1]);
        dim = Number(header[2]);
        requireDimensions(dim, path);
        return;
      }
    }
    if (trimmed === '') return;
    const spaces = countSpaces(trimmed);
    if (collector === undefined) {
      dim ??= spaces;
      requireDimensions(dim, path);
      collector = new WordCollector(path, dim, keep);
    }
    if (spaces < dim!) {
      throw new NighError(
        'INVALID_RECORD',
        `${place(path, number)}: expected a word and ${dim} numbers, got ${spaces + 1} fields.`,
      );
    }
    const end = spaces === dim ? trimmed.indexOf(' ') : endOfWord(trimmed, dim!);
    const word = trimmed.slice(0, end);
    if (!collector.wants(word)) return;
    const numbers = trimmed.slice(end + 1).split(' ');
    collector.add(word, (row) => {
      for (let d = 0; d < row.length; d++) {
        const value = numbers[d] === '' ? Number.NaN : Number(numbers[d]);
        if (Number.isNaN(value)) {
          const text = JSON.stringify(numbers[d]);
          throw new NighError('INVALID_RECORD', `${place(path, number)}: ${text} is not a number.`);
        }
        row[d] = value;
      }
    });
  });
  if (collector === undefined) throw new NighError('EMPTY_DATASET', `${path}: there are no word vectors.`);
  if (promised !== undefined && collector.seen < promised) {
    throw new NighError('TRUNCATED', `${path}: its first line promises ${promised} words, got ${collector.seen}.`);
  }
  return collector.collected();
}

function requireDimensions(dim: number, path: string): void {
  if (dim >= 1 && dim <= mostDimensions) return;
  throw new NighError(
    'FORMAT',
    `${path}: expected lines of a word and 1 to ${mostDimensions} numbers, got ${dim} numbers in the first.`,
  );
}

function countSpaces(line: string): number {
  let count = 0;
  for (let at = line.indexOf(' '); at !== -1; at = line.indexOf(' ', at + 1)) count++;
  return count;
}

/** The space before the last `dim` fields. */
function endOfWord(line: string, dim: number): number {
  let at = line.length;
  for (let d = 0; d < dim; d++) at = line.lastIndexOf(' ', at - 1);
  return at;
}
