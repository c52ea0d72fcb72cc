// Which lines the tests reach: of the C++ core by the C++ tests (gcov), of the TypeScript by the TypeScript tests (V8), those included that are reached in
// processes of their own. Lists of the lines that are not reached, and vitest's report of what it ran itself, are left in coverage/.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { countNativeTests, countVitest, leftOut } from './counted-tests.mjs';
import { filesBelow } from './fingerprint.mjs';
import { buildProgram } from './native-program.mjs';
import { testUnits } from './native-units.mjs';
import { inRoot, root } from './paths.mjs';
import { compileEnvironment, onPath } from './prerequisites.mjs';
import { linesOfProcesses } from './process-coverage.mjs';

/** @typedef {Map<string, Map<number, number>>} Lines how often each line ran, by file below the root */

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
  return [tests, ...summary(lines)];
}

/**
 * How often each line of native/ ran, in whichever file it was compiled.
 * @param {string} folder
 * @returns {Lines}
 */
function linesReached(folder) {
  /** @type {Lines} */
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

async function typescriptCoverage() {
  const what = 'the TypeScript tests, counting lines';
  const report = inRoot('coverage/typescript');
  const options = [
    '--coverage.enabled',
    '--coverage.provider=v8',
    '--coverage.include=src/**/*.ts',
    '--coverage.reporter=json',
    '--coverage.reporter=html',
    `--coverage.reportsDirectory=${report}`,
  ];
  const processes = mkdtempSync(join(tmpdir(), 'nigh-coverage-'));
  try {
    const tests = await countVitest(what, options, { ...process.env, NODE_V8_COVERAGE: processes });
    const lines = linesOfStatements(JSON.parse(readFileSync(join(report, 'coverage-final.json'), 'utf8')));
    for (const [name, reached] of linesOfProcesses(processes)) {
      const file = lines.get(name);
      for (const line of reached) if (file?.get(line) === 0) file.set(line, 1);
    }
    writeFileSync(inRoot('coverage/typescript-not-reached.txt'), notReached(lines));
    return [tests, ...summary(lines)];
  } finally {
    rmSync(processes, { recursive: true, force: true });
  }
}

/**
 * A line counts as often as the statement that begins in it and ran most.
 * @param {Record<string, { statementMap: Record<string, { start: { line: number } }>, s: Record<string, number> }>} files
 * @returns {Lines}
 */
function linesOfStatements(files) {
  /** @type {Lines} */
  const all = new Map();
  for (const [path, { statementMap, s: counts }] of Object.entries(files)) {
    const lines = new Map();
    for (const [id, { start }] of Object.entries(statementMap))
      lines.set(start.line, Math.max(lines.get(start.line) ?? 0, counts[id] ?? 0));
    all.set(path.slice(root.length + 1), lines);
  }
  return all;
}

/**
 * The shares of folders, and of the files of which most is not reached.
 * @param {Lines} files
 * @returns {import('./counted-tests.mjs').Outcome[]}
 */
function summary(files) {
  /** @type {Map<string, [reached: number, all: number]>} */
  const sums = new Map();
  /** @type {[name: string, reached: number, all: number][]} */
  const least = [];
  for (const [name, lines] of files) {
    if (lines.size === 0) continue;
    const reached = [...lines.values()].filter((count) => count > 0).length;
    const [top = '', folder = ''] = name.split('/');
    for (const key of [top, join(top, folder)]) {
      const [before, all] = sums.get(key) ?? [0, 0];
      sums.set(key, [before + reached, all + lines.size]);
    }
    if (reached < 0.8 * lines.size) least.push([name, reached, lines.size]);
  }
  least.sort((a, b) => b[2] - b[1] - (a[2] - a[1]));
  return [
    ...[...sums].sort().map(([what, [reached, all]]) => ({ what: `lines of ${what}`, figures: share(reached, all) })),
    ...least
      .slice(0, 10)
      .map(([name, reached, all]) => ({ what: `few lines of ${name}`, figures: share(reached, all) })),
  ];
}

/** @param {Lines} files */
function notReached(files) {
  return [...files]
    .sort()
    .flatMap(([name, lines]) => [...lines].filter(([, count]) => count === 0).map(([line]) => `${name}:${line}\n`))
    .join('');
}

/**
 * @param {number} part
 * @param {number} all
 */
const share = (part, all) => `${((100 * part) / Math.max(1, all)).toFixed(1)} % of ${all}`;
