// The packed package without a compiler at hand: what comes with it suffices on every instruction set and on older processors, what is
// missing is said in one sentence, and those who judge packages find nothing. A source build, too, from what is in the tarball alone.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { apiReference } from './api-reference.mjs';
import { countVitest, leftOut } from './counted-tests.mjs';
import { inBareProject, install, packPackage, runInProject } from './installed-package.mjs';
import { inRoot, root } from './paths.mjs';
import { onPath } from './prerequisites.mjs';
import { SetupProblem, secondsSince, step } from './report.mjs';
import { CommandFailed, npmCommand, run } from './run-command.mjs';

/** Programs that are run by npm from the registry at the release named here: too large to be installed with every clone. */
const judges = {
  publint: ['publint@0.3.25', 'publint', '--strict'],
  // Packages of ES modules only: `require` of them is for Node to answer, which the smoke test asks.
  attw: ['@arethetypeswrong/cli@0.18.5', 'attw', '--profile', 'esm-only'],
  knip: ['knip@6.44.2', 'knip'],
};

/** x86-64-v2 without AVX, and what came before it. */
const processors = { Nehalem: undefined, qemu64: 'CPU_UNSUPPORTED', core2duo: 'CPU_UNSUPPORTED' };

/** @returns {Promise<import('./counted-tests.mjs').Outcome[]>} */
export async function packageTests() {
  const tarball = await packPackage();
  const outcomes = await inBareProject(process.execPath, async (project) => {
    const installed = await timed('installed without a compiler', () => install(project, [tarball]));
    await runInProject(project, ['smoke.cjs']);
    return [
      installed,
      ...(await everyLevel(project)),
      ...(await olderProcessors(project)),
      await types(project),
      await followedPages(project),
    ];
  });
  outcomes.push(await withoutBinary(tarball), await fromSource(tarball));
  for (const [name, [spec = '', ...command]] of Object.entries(judges)) {
    const target = name === 'knip' ? [] : [tarball];
    outcomes.push(await timed(`${name} finds nothing`, () => npmExec(spec, [...command, ...target])));
  }
  outcomes.push(await timed('typedoc warns of nothing', apiReference));
  return outcomes;
}

/**
 * @param {string} what
 * @param {() => Promise<unknown>} work
 * @returns {Promise<import('./counted-tests.mjs').Outcome>}
 */
async function timed(what, work) {
  const began = performance.now();
  await step(`The package: ${what}`, work);
  return { what, figures: `passed, ${secondsSince(began)}` };
}

/** @param {import('./installed-package.mjs').Project} project */
async function everyLevel(project) {
  const { available } = createRequire(inRoot('package.json'))('node-gyp-build')(root).simd();
  const outcomes = [];
  for (const level of available) {
    outcomes.push(await timed(`used at ${level}`, () => runInProject(project, ['smoke.mjs'], { NIGH_SIMD: level })));
  }
  return outcomes;
}

/**
 * Emulated: an instruction that the processor lacks ends the process there, as it would on the machine itself.
 * @param {import('./installed-package.mjs').Project} project
 */
async function olderProcessors(project) {
  const emulator = onPath('qemu-x86_64-static', process.env) ?? onPath('qemu-x86_64', process.env);
  if (process.arch !== 'x64' || emulator === undefined)
    return [leftOut('older processors', 'no qemu-x86_64-static on the PATH, or another processor')];
  const outcomes = [];
  for (const [cpu, refusal] of Object.entries(processors)) {
    const what = `used on ${cpu}${refusal === undefined ? '' : `: refused with ${refusal}`}`;
    const args = ['-cpu', cpu, project.node, 'search.mjs'];
    outcomes.push(
      await timed(what, async () => {
        const printed = await run(emulator, args, { cwd: project.folder, env: project.env });
        if (!printed.includes(refusal ?? 'found')) throw new CommandFailed(`${cpu}: not as expected.`, 1, printed);
      }),
    );
  }
  return outcomes;
}

/** @param {import('./installed-package.mjs').Project} project */
function types({ folder, env }) {
  const options = '--noEmit --strict --skipLibCheck --target es2023 --module nodenext --types node';
  return timed('its types compile in another project', async () => {
    const npm = npmCommand();
    const node = `@types/node@${process.versions.node.split('.')[0]}`;
    await run(npm.command, [...npm.args, 'install', '--no-audit', '--no-fund', node], {
      cwd: folder,
      env: process.env,
    });
    const tsc = inRoot('node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, ...options.split(' '), 'consumer.mts'], { cwd: folder, env });
  });
}

/**
 * Pages that a newcomer follows word for word, with the installed package instead of the build of this repository.
 * @param {import('./installed-package.mjs').Project} project
 */
function followedPages({ folder }) {
  const pages = '(README|getting-started|service|pipelines|recall-and-time|retrieval|live-updates|installing)';
  return countVitest('pages of the documentation, followed with it', ['test/cli/documentation.test.ts', '-t', pages], {
    ...process.env,
    NIGH_INSTALLED: folder,
  });
}

/**
 * Neither a binary for the platform nor a compiler: npm shows one sentence of ours.
 * @param {string} tarball
 */
function withoutBinary(tarball) {
  return timed('without a binary and a compiler it says so in a sentence', () =>
    inBareProject(process.execPath, async (project) => {
      const bare = await repacked(tarball, project.folder);
      const failure = await install(project, [bare]).then(
        () => undefined,
        (error) => error,
      );
      if (
        !(failure instanceof CommandFailed) ||
        !/a C\+\+ compiler, make and Python 3 were not found/.test(failure.output)
      )
        throw new SetupProblem(`The installation was to fail with one sentence: ${failure?.output ?? 'it passed'}`);
    }),
  );
}

/** @param {string} tarball */
function fromSource(tarball) {
  return timed('compiled from its own sources where no binary fits', () =>
    inBareProject(process.execPath, async (project) => {
      const bare = await repacked(tarball, project.folder);
      const path = `${project.env.PATH}:${process.env.PATH}`;
      await install({ ...project, env: { ...project.env, PATH: path } }, [bare]);
      await runInProject(project, ['smoke.mjs']);
    }),
  );
}

/**
 * The tarball without the binaries.
 * @param {string} tarball
 * @param {string} folder where it may be put
 */
async function repacked(tarball, folder) {
  const place = join(dirname(folder), 'sources');
  mkdirSync(place);
  await run('tar', ['-xzf', tarball, '-C', place]);
  rmSync(join(place, 'package/prebuilds'), { recursive: true });
  writeFileSync(join(place, 'package/.npmignore'), '');
  const npm = npmCommand();
  await run(npm.command, [...npm.args, 'pack', '--ignore-scripts', '--pack-destination', place], {
    cwd: join(place, 'package'),
  });
  return join(place, tarball.split('/').at(-1) ?? '');
}

/**
 * @param {string} spec
 * @param {readonly string[]} command
 */
export function npmExec(spec, command) {
  const npm = npmCommand();
  return run(npm.command, [...npm.args, 'exec', '--yes', `--package=${spec}`, '--', ...command]);
}
