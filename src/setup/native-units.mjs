// What is compiled, and how, where node-gyp does not do it: for sanitizers and for other processors. Sources, flags and above all the
// per-file instruction sets are read from binding.gyp, so that they are written once.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { filesBelow } from './fingerprint.mjs';
import { inRoot, root } from './paths.mjs';
import { onPath } from './prerequisites.mjs';

/** @typedef {{ source: string, flags: string[] }} Unit a source below the root and its own flags */

/** @typedef {{ sources: string[], flags: string[] }} Target */

/**
 * The pure core: every static library of binding.gyp.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [arch] as process.arch
 * @returns {Unit[]}
 */
export function coreUnits(env, arch = process.arch) {
  const { libraries } = targets(env, arch);
  return libraries.flatMap(unitsOf);
}

/**
 * The core and the C++ tests, which make a program.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [arch] as process.arch
 * @returns {Unit[]}
 */
export function testUnits(env, arch = process.arch) {
  const core = coreUnits(env, arch);
  // Tests are compiled for what the core at large is compiled for, whatever the instruction sets of its kernels.
  const baseline = core.find(({ source }) => source === 'native/base/thread_pool.cpp')?.flags ?? [];
  const flags = [...baseline, '-I', inRoot('test/native')];
  const tests = filesBelow(inRoot('test/native'), (path) => path.endsWith('.cpp'));
  return [...core, ...tests.map((path) => ({ source: path.slice(root.length + 1), flags }))];
}

/**
 * The core and what binds it to Node, which make the addon.
 * @param {NodeJS.ProcessEnv} env with the place of Node's headers, if it is not the usual one, in npm_config_nodedir
 * @returns {Unit[]}
 */
export function addonUnits(env) {
  const nodeAddonApi = dirname(createRequire(inRoot('package.json')).resolve('node-addon-api/package.json'));
  const nodeHeaders = join(env.npm_config_nodedir ?? resolve(process.execPath, '../..'), 'include/node');
  const { nigh } = targets(env, process.arch);
  const flags = [...nigh.flags, '-DNODE_GYP_MODULE_NAME=nigh', '-isystem', nodeAddonApi, '-isystem', nodeHeaders];
  return [...coreUnits(env), ...unitsOf({ sources: nigh.sources, flags })];
}

/** @param {Target} target */
const unitsOf = ({ sources, flags }) => sources.map((source) => ({ source, flags }));

/**
 * binding.gyp is a Python literal; it is evaluated with the conditions of one processor.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} arch
 * @returns {{ libraries: Target[], nigh: Target }}
 */
function targets(env, arch) {
  const os = process.platform === 'darwin' ? 'mac' : process.platform;
  const reader = `
import ast, json, sys
gyp = ast.literal_eval(open(sys.argv[1], encoding='utf-8').read())
names = {'target_arch': sys.argv[2], 'OS': sys.argv[3]}
def collect(block, *keys):
    own = [value for key in keys for value in block.get(key, [])]
    for condition, then, *otherwise in block.get('conditions', []):
        chosen = then if eval(condition, {}, names) else (otherwise[0] if otherwise else {})
        own = own + collect(chosen, *keys)
    return own
common = collect(gyp['target_defaults'], 'cflags', 'cflags_cc')
def read(target):
    flags = common + collect(target, 'cflags', 'cflags_cc') + ['-D' + name for name in collect(target, 'defines')]
    return {'sources': collect(target, 'sources'), 'flags': flags}
print(json.dumps({
    'libraries': [read(target) for target in gyp['targets'] if target.get('type') == 'static_library'],
    'nigh': next(read(target) for target in gyp['targets'] if target['target_name'] == 'nigh'),
}))
`;
  const python = env.npm_config_python ?? env.PYTHON ?? (onPath('python3', env) === undefined ? 'python' : 'python3');
  const result = spawnSync(python, ['-c', reader, inRoot('binding.gyp'), arch, os], { env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`binding.gyp could not be read: ${result.stderr}`);
  return JSON.parse(result.stdout);
}
