// Lines that are reached in processes of their own: those of the command line and of the service's workers, which are run from dist/. Node writes
// at their end what V8 counted; the source maps beside dist/ tell of which lines of src/ that is.
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { filesBelow } from './fingerprint.mjs';
import { inRoot, root } from './paths.mjs';

/** @typedef {{ startOffset: number, endOffset: number, count: number }} Range */

/** @typedef {{ url: string, functions: { ranges: Range[] }[] }} Script */

/** @typedef {{ source: string, length: number, begins: [offset: number, line: number][] }} Mapped a file of dist/, and which line of src/ begins where in it */

/**
 * Which lines the processes reached that left their counts in a folder (NODE_V8_COVERAGE).
 * @param {string} folder
 * @returns {Map<string, Set<number>>} by source below the root
 */
export function linesOfProcesses(folder) {
  const prefix = pathToFileURL(join(inRoot('dist'), '/')).href;
  /** @type {Map<string, Mapped | undefined>} */
  const known = new Map();
  /** @type {Map<string, Set<number>>} */
  const reached = new Map();
  for (const path of filesBelow(folder, (file) => file.endsWith('.json'))) {
    for (const { url, functions } of scriptsOf(path)) {
      if (!url.startsWith(prefix)) continue;
      const file = fileURLToPath(url.replace(/\?.*$/, ''));
      if (!known.has(file)) known.set(file, mapped(file));
      const map = known.get(file);
      if (map === undefined) continue;
      const ran = whatRan(
        functions.flatMap(({ ranges }) => ranges),
        map.length,
      );
      const lines = reached.get(map.source) ?? new Set();
      reached.set(map.source, lines);
      for (const [offset, line] of map.begins) if (ran[offset] === 1) lines.add(line);
    }
  }
  return reached;
}

/**
 * @param {string} path
 * @returns {Script[]}
 */
function scriptsOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).result;
  } catch (error) {
    // A process that was killed while it wrote.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/**
 * For every character whether it ran. The innermost range counts, and ranges lie within each other.
 * @param {Range[]} ranges
 * @param {number} length
 */
function whatRan(ranges, length) {
  const ran = new Uint8Array(length);
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return ran;
}

/**
 * @param {string} file
 * @returns {Mapped | undefined}
 */
function mapped(file) {
  if (!existsSync(`${file}.map`)) return undefined;
  const text = readFileSync(file, 'utf8');
  /** @type {{ sources: string[] }} */
  const payload = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
  const map = new SourceMap(/** @type {import('node:module').SourceMapPayload} */ (payload));
  const source = relative(root, resolve(file, '..', payload.sources[0] ?? ''))
    .split('\\')
    .join('/');
  /** @type {[number, number][]} */
  const begins = [];
  let offset = 0;
  for (const [n, line] of text.split('\n').entries()) {
    const column = line.search(/\S/);
    /** @type {{ originalLine?: number }} */
    const { originalLine } = column < 0 ? {} : map.findEntry(n, column);
    if (originalLine !== undefined) begins.push([offset + column, originalLine + 1]);
    offset += line.length + 1;
  }
  return { source, length: text.length, begins };
}
