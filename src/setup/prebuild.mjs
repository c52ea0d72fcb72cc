// The addon as it is published: one stripped binary for each platform, where node-gyp-build looks for it. N-API 8 makes one binary of a platform
// do for every Node that nigh supports; on Linux there is one for each C library.
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { buildNative } from './build-native.mjs';
import { inRoot } from './paths.mjs';
import { onPath } from './prerequisites.mjs';
import { run } from './run-command.mjs';

/** Every platform that a release carries a binary for. */
export const releasedPlatforms = [
  'darwin-arm64/nigh.node',
  'darwin-x64/nigh.node',
  'linux-arm64/nigh.glibc.node',
  'linux-arm64/nigh.musl.node',
  'linux-x64/nigh.glibc.node',
  'linux-x64/nigh.musl.node',
  'win32-x64/nigh.node',
];

/** The file below prebuilds/ of the platform that this runs on. */
export function prebuiltHere() {
  const libc = process.platform === 'linux' ? `.${existsSync('/etc/alpine-release') ? 'musl' : 'glibc'}` : '';
  return `${process.platform}-${process.arch}/nigh${libc}.node`;
}

/**
 * Builds the addon and puts it below prebuilds/.
 * @returns {Promise<string>} the file
 */
export async function prebuild() {
  await buildNative();
  const file = inRoot('prebuilds', prebuiltHere());
  const partial = `${file}.${process.pid}`;
  mkdirSync(join(file, '..'), { recursive: true });
  copyFileSync(inRoot('build/Release/nigh.node'), partial);
  if (process.platform === 'linux' && onPath('strip', process.env) !== undefined)
    await run('strip', ['--strip-unneeded', partial]);
  if (process.platform === 'darwin') await run('strip', ['-x', partial]);
  renameSync(partial, file);
  return file;
}
