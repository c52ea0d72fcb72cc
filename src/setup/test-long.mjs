// npm run test:long: what takes too long for every change. `npm run test:long -- asan simd` runs only the parts that are named.
import { coreOnArm64 } from './arm64-tests.mjs';
import { countVitest } from './counted-tests.mjs';
import { coverage } from './coverage.mjs';
import { ensureBuilt } from './ensure.mjs';
import { fuzzLoaders } from './fuzz.mjs';
import { nodeMatrix } from './node-matrix.mjs';
import { packageTests } from './package-tests.mjs';
import { attempt, bold, dim, SetupProblem, say, script, secondsSince } from './report.mjs';
import { sanitizedAddon } from './sanitized-addon.mjs';
import { everySimdLevel } from './simd-levels.mjs';

const longTests = { ...process.env, NIGH_LONG_TESTS: '1' };

/** @type {Record<string, () => Promise<import('./counted-tests.mjs').Outcome[]>>} */
const parts = {
  asan: sanitizedAddon,
  simd: everySimdLevel,
  arm64: coreOnArm64,
  // Nearly every test is one kill.
  kills: async () => [
    await countVitest('kill -9 at random moments, and failing calls', ['kills.long.test.ts'], longTests),
  ],
  glove: async () => [await countVitest('GloVe, whole', ['test/index/glove.long.test.ts'], longTests)],
  fuzz: fuzzLoaders,
  package: packageTests,
  node: nodeMatrix,
  coverage,
  // Properties that npm test tries some times, tried very often. vitest.config.ts lets these files in.
  often: async () => [await countVitest('the tests in *.long.test.ts', ['.long.test.ts'], longTests)],
};

await script(async () => {
  const began = performance.now();
  const chosen = partsNamed(process.argv.slice(2));
  // Of all parts only this one runs the program that node-gyp compiles; the others have their own.
  await ensureBuilt({ nativeTests: chosen.some(([name]) => name === 'simd') });
  /** @type {string[]} */
  const lines = [];
  let failed = false;
  // Each part runs whatever became of the one before: one run shows all that is wrong.
  for (const [name, part] of chosen) {
    const passed = await attempt(async () => {
      for (const { what, figures } of await part()) lines.push(`${name}: ${what}: ${figures}`);
    });
    if (!passed) lines.push(`${name}: ${bold('FAILED')}`);
    failed ||= !passed;
  }
  for (const line of lines) say(line);
  say(dim(`All of it took ${secondsSince(began)}.`));
  return failed ? 1 : 0;
});

/** @param {readonly string[]} names */
function partsNamed(names) {
  const all = Object.entries(parts);
  const unknown = names.find((name) => !Object.hasOwn(parts, name));
  if (unknown !== undefined) {
    throw new SetupProblem(`npm run test:long has the parts ${Object.keys(parts).join(', ')}, and no ${unknown}.`);
  }
  // These two are among what is tried often.
  return all.filter(([name]) => (names.length === 0 ? name !== 'kills' && name !== 'glove' : names.includes(name)));
}
