import { buildNative } from './build-native.mjs';
import { buildTypescript } from './build-typescript.mjs';
import { installPackages } from './install-packages.mjs';
import { requireNode } from './prerequisites.mjs';
import { dim, say, secondsSince } from './report.mjs';

/**
 * Brings packages, native core and dist/ up to date, in this order, doing only what is needed.
 * @param {{ nativeTests?: boolean, optional?: boolean }} [options] nativeTests: also the program of C++ tests; optional: also the packages that have
 * to be compiled and that only tests and comparisons use, which is the default
 */
export async function ensureBuilt({ nativeTests = false, optional = true } = {}) {
  const began = performance.now();
  requireNode();
  const packages = await installPackages({ optional });
  const native = await buildNative({ tests: nativeTests });
  const worked = (await buildTypescript()) || packages || native;
  if (!worked) say(dim(`Packages, native core and TypeScript are up to date (${secondsSince(began)}).`));
}
