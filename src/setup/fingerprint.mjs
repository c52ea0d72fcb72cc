// Whether an output is still the one of its inputs: a hash over the inputs' paths and contents, kept beside the output. Times are not
// compared, because a fresh clone, a branch switch and a restored cache all set them to something meaningless.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/**
 * Every file below a directory, sorted; none where the directory is missing.
 * @param {string} directory
 * @param {(path: string) => boolean} [wanted]
 * @returns {string[]}
 */
export function filesBelow(directory, wanted = () => true) {
  /** @type {string[]} */
  const found = [];
  /** @param {string} folder */
  const visit = (folder) => {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile() && wanted(path)) found.push(path);
    }
  };
  visit(directory);
  return found.sort();
}

/** @param {string} folder */
function entriesOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * One hash over files (their path below `base` and their content) and any further strings.
 * @param {string} base
 * @param {readonly string[]} files
 * @param {readonly string[]} [further]
 */
export function fingerprint(base, files, further = []) {
  const hash = createHash('sha256');
  for (const text of further) hash.update(`${text}\0`);
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${relative(base, file).split(sep).join('/')}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * The fingerprint written by `writeStamp`, or undefined.
 * @param {string} path
 */
export function readStamp(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * Written after the output is complete, so that an interrupted build is repeated.
 * @param {string} path
 * @param {string} value
 */
export function writeStamp(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${value}\n`);
}
