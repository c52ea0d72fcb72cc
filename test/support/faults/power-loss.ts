import { dirname } from 'node:path';
import type { Call } from './program.js';

/** What a loss of power could take. */
export interface Unsynced {
  /** Files that were written to and not flushed since. */
  readonly files: ReadonlySet<string>;
  /** Directories that got or lost names and were not flushed since. */
  readonly directories: ReadonlySet<string>;
}

/**
 * What a loss of power right after these calls could take: POSIX promises nothing of what was not flushed. A name that was only removed may
 * come back, which nobody minds; a name that was made or moved may be missing.
 */
export function unsyncedAfter(calls: readonly Call[]): Unsynced {
  const files = new Set<string>();
  const directories = new Set<string>();
  const made = (path: string) => directories.add(dirname(path));
  for (const { name, path, second } of calls) {
    if (name === 'create' || name === 'mkdir') made(path);
    else if (name === 'write' || name === 'truncate') files.add(path);
    else if (name === 'link') made(second);
    else if (name === 'unlink' || name === 'rmdir') {
      files.delete(path);
      directories.delete(path);
    } else if (name === 'fsync') {
      files.delete(path);
      directories.delete(path);
    } else if (name === 'rename') {
      for (const set of [files, directories]) {
        set.delete(second);
        for (const each of [...set]) {
          if (each !== path && !each.startsWith(`${path}/`)) continue;
          set.delete(each);
          set.add(second + each.slice(path.length));
        }
      }
      made(second);
    }
  }
  return { files, directories };
}
