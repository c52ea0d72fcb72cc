// dist/: what tsc makes of src/, and the files beside it that need no compiling (the explorer's page, plain .mjs workers). Files whose source
// is gone are removed, so that nothing runs against code that is no longer there.
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { filesBelow, fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { inRoot, root } from './paths.mjs';
import { step } from './report.mjs';
import { run } from './run-command.mjs';

const source = inRoot('src');
const output = inRoot('dist');
const stamp = join(output, '.nigh-sources');

/** @param {string} path */
const belongsToPackage = (path) => !path.startsWith(join(source, 'setup') + sep);

/**
 * Builds dist/ where it is not up to date.
 * @returns {Promise<boolean>} whether anything had to be done
 */
export async function buildTypescript() {
  const files = filesBelow(source, belongsToPackage);
  const wanted = fingerprint(root, [...files, inRoot('tsconfig.json'), inRoot('package-lock.json')]);
  if (readStamp(stamp) === wanted && existsSync(join(output, 'cli/main.js'))) {
    linkCommand();
    return false;
  }
  await step('Compiling TypeScript', async () => {
    rmSync(stamp, { force: true });
    const removed = removeStale(files);
    // tsc's own record would make it skip files that are gone from dist.
    if (removed || !existsSync(join(output, 'cli/main.js'))) rmSync(join(output, '.tsbuildinfo'), { force: true });
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    await run(process.execPath, [tsc, '--project', inRoot('tsconfig.json')]);
    for (const file of files.filter(isAsset)) {
      const target = join(output, relative(source, file));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(file, target);
    }
    linkCommand();
  });
  writeStamp(stamp, wanted);
  return true;
}

/** @param {string} path */
const isAsset = (path) => !path.endsWith('.ts') && !/(^|[\\/])(tsconfig\.json|README\.md)$/.test(path);

/**
 * Removes what has no source any more; gives whether there was anything.
 * @param {readonly string[]} files
 */
function removeStale(files) {
  const expected = new Set();
  for (const file of files) {
    const path = relative(source, file);
    if (isAsset(file)) expected.add(path);
    else if (!path.endsWith('.d.ts')) {
      const stem = path.slice(0, -'.ts'.length);
      for (const ending of ['.js', '.js.map', '.d.ts', '.d.ts.map']) expected.add(stem + ending);
    }
  }
  expected.add('.tsbuildinfo');
  const stale = filesBelow(output).filter((path) => !expected.has(relative(output, path)));
  for (const path of stale) rmSync(path);
  return stale.length > 0;
}

/** `npx nigh` and npm scripts find the repository's own command, as they would in a project that depends on nigh. */
function linkCommand() {
  if (process.platform === 'win32') return; // there a shim would be needed; `node dist/cli/main.js` works everywhere
  const command = join(output, 'cli/main.js');
  chmodSync(command, 0o755);
  const link = inRoot('node_modules/.bin/nigh');
  if (existsSync(link)) return;
  rmSync(link, { force: true }); // a link that leads nowhere
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync('../../dist/cli/main.js', link);
}
