// The C++ tests for 64-bit ARM, compiled by a cross compiler and run by QEMU's user-mode emulation, so that the NEON kernels run on a
// machine of another kind too. An optimised build, because emulation is slow enough.
import { join } from 'node:path';
import { countNativeTests, leftOut } from './counted-tests.mjs';
import { buildProgram } from './native-program.mjs';
import { testUnits } from './native-units.mjs';
import { inRoot } from './paths.mjs';
import { onPath } from './prerequisites.mjs';

const what = 'the C++ tests on arm64, emulated';
const compilers = ['aarch64-linux-gnu-g++'];
const emulators = ['qemu-aarch64-static', 'qemu-aarch64'];

/** @returns {Promise<import('./counted-tests.mjs').Outcome[]>} */
export async function coreOnArm64() {
  const { env } = process;
  const compiler = compilers.find((name) => onPath(name, env) !== undefined);
  const emulator = emulators.find((name) => onPath(name, env) !== undefined);
  if (compiler === undefined) return [leftOut(what, `no ${compilers.join(' or ')} on the PATH`)];
  if (emulator === undefined) return [leftOut(what, `no ${emulators.join(' or ')} on the PATH`)];

  const folder = inRoot('build/arm64');
  const output = join(folder, 'native_tests');
  await buildProgram({
    what: 'the C++ tests for arm64',
    compiler: onPath('ccache', env) === undefined ? [compiler] : ['ccache', compiler],
    units: testUnits(env, 'arm64'),
    flags: ['-O2'],
    // So that no libraries of an arm64 system have to be found when it runs.
    link: ['-static'],
    folder,
    output,
    env,
  });
  return [await countNativeTests(what, emulator, ['-cpu', 'max', output], env)];
}
