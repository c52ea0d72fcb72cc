// The loaders of index files under AddressSanitizer and UndefinedBehaviorSanitizer: files altered by the ten thousand under checksums that
// are right again, then opened, searched and changed (test/native/damaged_index_test.cpp, hnswlib_file_test.cpp).
import { join } from 'node:path';
import { leftOut } from './counted-tests.mjs';
import { buildProgram } from './native-program.mjs';
import { testUnits } from './native-units.mjs';
import { inRoot } from './paths.mjs';
import { compileEnvironment } from './prerequisites.mjs';
import { secondsSince, step } from './report.mjs';
import { run } from './run-command.mjs';
import { addressSanitizer, missingRuntime, sanitizedFlags } from './sanitized-tests.mjs';

const what = `the loaders of index files under ${addressSanitizer.name}`;

/** @returns {Promise<import('./counted-tests.mjs').Outcome[]>} */
export async function fuzzLoaders() {
  if (process.platform === 'win32') return [leftOut(what, 'not on Windows')];
  const env = compileEnvironment();
  const compiler = (env.CXX ?? 'g++').split(' ');
  const problem = missingRuntime(compiler, addressSanitizer, env);
  if (problem !== undefined) return [leftOut(what, problem)];
  const folder = inRoot('build', addressSanitizer.folder);
  const output = join(folder, 'native_tests');
  await buildProgram({
    what: `the C++ tests under ${addressSanitizer.name}`,
    compiler,
    units: testUnits(env),
    flags: sanitizedFlags(addressSanitizer),
    link: addressSanitizer.flags,
    folder,
    output,
    env,
  });
  const began = performance.now();
  const settings = { ...env, ...addressSanitizer.env, NIGH_LONG_TESTS: '1' };
  const printed = await step(`Altering files for ${what}`, () =>
    run(output, ['a damaged index file', 'a file of hnswlib with any one byte'], { env: settings }),
  );
  const figures = printed.split('\n').find((line) => /altered files/.test(line)) ?? '';
  return [{ what, figures: `${figures.trim()}, no finding, ${secondsSince(began)}` }];
}
