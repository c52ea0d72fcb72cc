import { buildNative } from './build-native.mjs';
import { buildTypescript } from './build-typescript.mjs';
import { installPackages } from './install-packages.mjs';
import { requireNode } from './prerequisites.mjs';
import { dim, say, secondsSince } from './report.mjs';

/**
 * Brings packages, native core and dist/ up to date, in this order, doing only what is needed.
 * @param {{ nativeTests?: boolean }} [options] nativeTests: also the program of C++ tests
 */
export async function ensureBuilt({ nativeTests = false } = {}) {
  const began = performance.now();
  requireNode();
  const worked = [await installPackages(), await buildNative({ tests: nativeTests }), await buildTypescript()].some(
    Boolean,
  );
  if (!worked) say(dim(`Packages, native core and TypeScript are up to date (${secondsSince(began)}).`));
}
