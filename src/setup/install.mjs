// npm's install script of the package. Where a binary for this platform came with the package and can be loaded there is nothing to do;
// elsewhere, and in the repository, the core is compiled. Without a compiler it says in one sentence what is missing.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { buildNative } from './build-native.mjs';
import { inRoot, root } from './paths.mjs';
import { requireNode } from './prerequisites.mjs';
import { say, script } from './report.mjs';

await script(async () => {
  if (process.env.NIGH_SETUP === '1') return; // set by whoever compiles next, as the Dockerfile does
  requireNode();
  if (!hasPrebuilt()) await buildNative();
});

function hasPrebuilt() {
  if (!existsSync(inRoot('prebuilds'))) return false;
  const require = createRequire(import.meta.url);
  try {
    const file = require('node-gyp-build').resolve(root);
    if (!/[\\/]prebuilds[\\/]/.test(file)) return false;
    return canLoad(require, file);
  } catch {
    return false; // none for this platform: compile
  }
}

/**
 * An older C library than the binary was linked with refuses it; what is compiled here will do.
 * @param {NodeJS.Require} require
 * @param {string} file
 */
function canLoad(require, file) {
  try {
    require(file);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    // No compiler helps against that, and an image may be made on another machine than it runs on.
    if (code === 'CPU_UNSUPPORTED') say(`nigh: ${reason}`);
    else say(`nigh: the binary that came with the package cannot be loaded (${reason}); compiling it.`);
    return code === 'CPU_UNSUPPORTED';
  }
}
