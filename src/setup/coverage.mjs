// Which lines the tests reach: of the C++ core by the C++ tests (gcov), of the TypeScript by the TypeScript tests (V8). What tests run as
// a process of its own, the command line above all, is the build in dist/ and is not counted. Reports of single lines are left in coverage/.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { countNativeTests, countVitest, leftOut } from './counted-tests.mjs';
import { filesBelow } from './fingerprint.mjs';
import { buildProgram } from './native-program.mjs';
import { testUnits } from './native-units.mjs';
import { inRoot, root } from './paths.mjs';
import { compileEnvironment, onPath } from './prerequisites.mjs';

/** @returns {Promise<import('./counted-tests.mjs').Outcome[]>} */
export async function coverage() {
  return [...(await nativeCoverage()), ...(await typescriptCoverage())];
}

async function nativeCoverage() {
  const what = 'the C++ tests, counting lines';
  const env = compileEnvironment();
  const compiler = (env.CXX ?? 'g++').split(' ');
  if (!basename(compiler.at(-1) ?? '').startsWith('g++') || onPath('gcov', env) === undefined)
    return [leftOut(what, 'only with g++ and its gcov')];
  const folder = inRoot('build/coverage');
  const output = join(folder, 'native_tests');
  const flags = ['-O1', '--coverage', '-fprofile-update=atomic'];
  await buildProgram({ what, compiler, units: testUnits(env), flags, link: ['--coverage'], folder, output, env });
  for (const path of filesBelow(folder, (file) => file.endsWith('.gcda'))) rmSync(path);
  const tests = await countNativeTests(what, output, [], env);
  const lines = linesReached(folder);
  mkdirSync(inRoot('coverage'), { recursive: true });
  writeFileSync(inRoot('coverage/native-not-reached.txt'), notReached(lines));
  return [tests, ...byFolder(lines)];
}

/**
 * How often each line of native/ ran, in whichever file it was compiled.
 * @param {string} folder
 */
function linesReached(folder) {
  /** @type {Map<string, Map<number, number>>} */
  const files = new Map();
  for (const path of filesBelow(folder, (file) => file.endsWith('.gcda'))) {
    const { stdout } = spawnSync('gcov', ['--json-format', '--stdout', path], { cwd: root, maxBuffer: 1 << 30 });
    for (const report of stdout.toString().trim().split('\n')) {
      /** @type {{ files: { file: string, lines: { line_number: number, count: number }[] }[] }} */
      const { files: reported } = JSON.parse(report);
      for (const { file, lines } of reported) {
        const name = file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
        if (!name.startsWith('native/')) continue;
        const known = files.get(name) ?? new Map();
        files.set(name, known);
        for (const { line_number: line, count } of lines) known.set(line, (known.get(line) ?? 0) + count);
      }
    }
  }
  return files;
}

/** @param {ReturnType<typeof linesReached>} files */
function byFolder(files) {
  /** @type {Map<string, [reached: number, all: number]>} */
  const sums = new Map();
  for (const [name, lines] of files) {
    for (const key of ['native', name.split('/').slice(0, 2).join('/')]) {
      const [reached, all] = sums.get(key) ?? [0, 0];
      sums.set(key, [reached + [...lines.values()].filter((count) => count > 0).length, all + lines.size]);
    }
  }
  return [...sums].sort().map(([what, [reached, all]]) => ({ what: `lines of ${what}`, figures: share(reached, all) }));
}

/** @param {ReturnType<typeof linesReached>} files */
function notReached(files) {
  return [...files]
    .sort()
    .flatMap(([name, lines]) => [...lines].filter(([, count]) => count === 0).map(([line]) => `${name}:${line}\n`))
    .join('');
}

async function typescriptCoverage() {
  const what = 'the TypeScript tests, counting lines';
  const options = [
    '--coverage.enabled',
    '--coverage.provider=v8',
    '--coverage.include=src/**/*.ts',
    '--coverage.reporter=json-summary',
    '--coverage.reporter=html',
    `--coverage.reportsDirectory=${inRoot('coverage/typescript')}`,
  ];
  const tests = await countVitest(what, options, process.env);
  /** @type {Record<string, { lines: { total: number, covered: number } }>} */
  const summary = JSON.parse(readFileSync(inRoot('coverage/typescript/coverage-summary.json'), 'utf8'));
  /** @type {Map<string, [number, number]>} */
  const sums = new Map();
  for (const [path, { lines }] of Object.entries(summary)) {
    const layer =
      path === 'total'
        ? 'src'
        : path
            .slice(root.length + 1)
            .split('/')
            .slice(0, 2)
            .join('/');
    const [covered, total] = sums.get(layer) ?? [0, 0];
    sums.set(layer, [covered + lines.covered, total + lines.total]);
  }
  return [tests, ...[...sums].map(([layer, sum]) => ({ what: `lines of ${layer}`, figures: share(...sum) }))];
}

/**
 * @param {number} part
 * @param {number} all
 */
const share = (part, all) => `${((100 * part) / Math.max(1, all)).toFixed(1)} % of ${all}`;
