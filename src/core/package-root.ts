/** Where the package lies, and which release it is. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NighError } from './errors.js';

interface Package {
  /** The folder that holds package.json, with a slash at its end. */
  readonly root: string;
  readonly version: string;
}

let known: Package | undefined;

/** @throws NighError NATIVE_MISSING where a bundler has put this file elsewhere: the binary, the workers and the pages lie relative to it */
export function ownPackage(): Package {
  known ??= find();
  return known;
}

function find(): Package {
  try {
    // This file lies two levels below, in src/core and in dist/core.
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const { name, version }: { name?: unknown; version?: unknown } = JSON.parse(
      readFileSync(`${root}package.json`, 'utf8'),
    );
    if (name === 'nigh') return { root, version: String(version) };
  } catch {
    // Told below: another place holds another package, or none.
  }
  throw new NighError(
    'NATIVE_MISSING',
    "nigh cannot be part of a bundle, since it finds its native core relative to its own files: leave it out, as with external: ['nigh'] in " +
      'esbuild or external: /^nigh(\\/|$)/ in Rollup, and install it beside the bundle.',
  );
}
