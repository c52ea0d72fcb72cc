/** The files that a path of a recipe means: one, all that fit a pattern, or what comes in through the standard input. */
import { readdir } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';

/** The path that stands for the standard input. */
export const standardInput = '-';

/**
 * @param path `-`, a path, or a pattern: `*` and `?` stand for any characters of a name or one, `**` as a whole name for folders at any depth
 * @returns absolute paths in the order of their names, at least one; `-` as it is
 * @throws NighError NOT_FOUND where nothing fits the pattern, IO
 */
export async function findFiles(baseDirectory: string, path: string): Promise<readonly string[]> {
  if (path === standardInput) return [path];
  if (!/[*?]/.test(path)) return [resolve(baseDirectory, path)];
  const names = path.split(/[\\/]/);
  const fixed = names.findIndex((name) => /[*?]/.test(name));
  const root = resolve(baseDirectory, names.slice(0, fixed).join('/') || (isAbsolute(path) ? sep : '.'));
  const found: string[] = [];
  await collect(root, names.slice(fixed), found);
  if (found.length === 0) throw new NighError('NOT_FOUND', `${path}: no file below ${root} fits.`);
  // A folder may be reached in two ways where the pattern has two `**`.
  return [...new Set(found)].sort();
}

async function collect(directory: string, [name, ...rest]: readonly string[], found: string[]): Promise<void> {
  if (name === undefined) return;
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw fileError(directory, error);
  });
  const isDeep = name === '**';
  if (isDeep) await collect(directory, rest, found);
  const fits = isDeep ? undefined : expressionOf(name);
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (isDeep) {
      if (entry.isDirectory()) await collect(path, ['**', ...rest], found);
    } else if (fits!.test(entry.name)) {
      if (rest.length === 0) {
        if (!entry.isDirectory()) found.push(path);
      } else if (entry.isDirectory()) await collect(path, rest, found);
    }
  }
}

/** As in a shell, names that begin with a dot fit only a pattern that does. */
function expressionOf(name: string): RegExp {
  const text = [...name].map((character) =>
    character === '*' ? '.*' : character === '?' ? '.' : character.replace(/[\\^$.|+()[\]{}]/, '\\$&'),
  );
  return new RegExp(`^${name.startsWith('.') ? '' : '(?!\\.)'}${text.join('')}$`, 'su');
}
