// npm's install script of the package. Where a binary for this platform came with the package there is nothing to do; elsewhere, and in the
// repository, the core is compiled. Without a compiler it says in one sentence what is missing.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { buildNative } from './build-native.mjs';
import { inRoot, root } from './paths.mjs';
import { requireNode } from './prerequisites.mjs';
import { script } from './report.mjs';

await script(async () => {
  if (process.env.NIGH_SETUP === '1') return; // npm ci inside npm start, npm test or npm run build, which compile next
  requireNode();
  if (!hasPrebuilt()) await buildNative();
});

function hasPrebuilt() {
  if (!existsSync(inRoot('prebuilds'))) return false;
  const resolve = createRequire(import.meta.url)('node-gyp-build').resolve;
  try {
    return /[\\/]prebuilds[\\/]/.test(resolve(root));
  } catch {
    return false; // none for this platform: compile
  }
}
