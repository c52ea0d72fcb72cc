import { execFileSync } from 'node:child_process';
import { repositoryFolder } from '../algorithms/installed.js';

/** Of the repository; null where git or its folder is not there. */
export function commit(): string | null {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, {
        cwd: repositoryFolder(),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    // The results themselves are what a run writes.
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!bench/results') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '-dirty' : ''}`;
  } catch {
    return null;
  }
}
