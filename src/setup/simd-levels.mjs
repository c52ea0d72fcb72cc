// The C++ tests and the contract of every engine at each instruction set that this machine has. `npm test` runs them at the best.
import { createRequire } from 'node:module';
import { executable } from './build-native.mjs';
import { countNativeTests, countVitest } from './counted-tests.mjs';
import { inRoot, root } from './paths.mjs';

/** @returns {Promise<import('./counted-tests.mjs').Outcome[]>} */
export async function everySimdLevel() {
  const program = inRoot('build/Release', executable('native_tests'));
  const { available } = createRequire(inRoot('package.json'))('node-gyp-build')(root).simd();
  const outcomes = [];
  for (const level of available) {
    const env = { ...process.env, NIGH_SIMD: level };
    outcomes.push(await countNativeTests(`the C++ tests at ${level}`, program, [], env));
    outcomes.push(await countVitest(`the contract of every engine at ${level}`, ['test/contract'], env));
  }
  return outcomes;
}
