// What must be on the machine before anything can be installed, checked first so that its absence is one sentence instead of npm's pages.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { SetupProblem } from './report.mjs';

/** The oldest release of each line that can `require` an ES module, which nigh is; `engines` in package.json says the same. */
const oldestNodes = [
  [20, 19],
  [22, 12],
];

/**
 * The sentence for a Node that is too old, or undefined.
 * @param {string} version as process.versions.node
 */
export function nodeProblem(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const newest = oldestNodes.at(-1)?.[0] ?? 0;
  if (major > newest || oldestNodes.some(([line, least = 0]) => major === line && minor >= least)) return undefined;
  const wanted = oldestNodes.map((parts) => parts.join('.')).join(' or ');
  return `nigh needs Node.js ${wanted} or newer and this is ${version}; get a current one from https://nodejs.org.`;
}

/** @throws {SetupProblem} when this Node is too old */
export function requireNode() {
  const problem = nodeProblem(process.versions.node);
  if (problem !== undefined) throw new SetupProblem(problem);
}

/**
 * @typedef {object} Toolchain what was found
 * @property {string} [cxx] a C++ compiler that understands C++20
 * @property {string} [oldCxx] a C++ compiler that does not
 * @property {string} [python]
 * @property {string} [make]
 */

/**
 * Looks for what node-gyp needs. On Windows node-gyp finds Visual Studio by itself, and says so when it does not.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Toolchain}
 */
export function findToolchain(env) {
  const compilers = [env.CXX, 'g++', 'c++', 'clang++'].filter((name) => name !== undefined && name !== '');
  /** @type {string | undefined} */
  let cxx;
  /** @type {string | undefined} */
  let oldCxx;
  for (const name of compilers) {
    const found = onPath(String(name).split(' ')[0] ?? '', env);
    if (found === undefined) continue;
    if (compilesCpp20(String(name), env)) {
      cxx = String(name);
      break;
    }
    oldCxx ??= String(name);
  }
  const python = [env.NODE_GYP_FORCE_PYTHON, env.npm_config_python, env.PYTHON, 'python3', 'python'].find(
    (name) => name !== undefined && name !== '' && onPath(name, env) !== undefined && isPython3(name, env),
  );
  const make = [env.MAKE, 'make', 'gmake'].find(
    (name) => name !== undefined && name !== '' && onPath(name, env) !== undefined,
  );
  return {
    ...(cxx === undefined ? {} : { cxx }),
    ...(oldCxx === undefined ? {} : { oldCxx }),
    ...(python === undefined ? {} : { python }),
    ...(make === undefined ? {} : { make }),
  };
}

/**
 * The one sentence that names all that is missing and how to get it, or undefined.
 * @param {Toolchain} found
 * @param {{ platform: string, osRelease: string }} system
 */
export function toolchainProblem(found, system) {
  const missing = [];
  if (found.cxx === undefined) {
    missing.push(
      found.oldCxx === undefined ? 'a C++ compiler' : `a C++ compiler that knows C++20 (${found.oldCxx} does not)`,
    );
  }
  if (found.make === undefined) missing.push('make');
  if (found.python === undefined) missing.push('Python 3');
  if (missing.length === 0) return undefined;
  const list = missing.length === 1 ? missing[0] : `${missing.slice(0, -1).join(', ')} and ${missing.at(-1)}`;
  return `nigh compiles its native core and ${list} ${missing.length === 1 ? 'was' : 'were'} not found on the PATH; ${howToInstall(system)}, then run this again.`;
}

/** @param {{ platform: string, osRelease: string }} system */
function howToInstall({ platform, osRelease }) {
  if (platform === 'darwin') return 'install the command line tools with `xcode-select --install`';
  const family = `${/^ID=(.*)$/m.exec(osRelease)?.[1] ?? ''} ${/^ID_LIKE=(.*)$/m.exec(osRelease)?.[1] ?? ''}`;
  if (/debian|ubuntu/.test(family)) return 'install the toolchain with `sudo apt-get install -y g++ make python3`';
  if (/fedora|rhel|centos/.test(family)) return 'install the toolchain with `sudo dnf install -y gcc-c++ make python3`';
  if (/alpine/.test(family)) return 'install the toolchain with `apk add g++ make python3`';
  if (/arch/.test(family)) return 'install the toolchain with `sudo pacman -S --needed gcc make python`';
  if (/suse/.test(family)) return 'install the toolchain with `sudo zypper install gcc-c++ make python3`';
  return "install g++ 11 or newer (or clang 14), make and Python 3 with the system's package manager";
}

/**
 * The environment in which native code is compiled here. Sets the compiler where only an unusual one is there, and Node's headers where they
 * lie beside Node, because node-gyp would otherwise download them.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 * @throws {SetupProblem} naming what is missing
 */
export function compileEnvironment(env = process.env) {
  if (process.platform === 'win32') return { ...env, ...headerVariable(env) };
  const found = findToolchain(env);
  const problem = toolchainProblem(found, { platform: process.platform, osRelease: readOr('/etc/os-release') });
  if (problem !== undefined) throw new SetupProblem(problem);
  return { ...env, CXX: found.cxx, ...headerVariable(env) };
}

/** @param {NodeJS.ProcessEnv} env */
function headerVariable(env) {
  if (env.npm_config_nodedir !== undefined) return {};
  const prefix = resolve(process.execPath, '../..');
  return existsSync(join(prefix, 'include/node/node_api.h')) ? { npm_config_nodedir: prefix } : {};
}

/**
 * The full path of a program, or undefined.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
export function onPath(name, env) {
  if (name.includes('/') || name.includes('\\')) return existsSync(name) ? name : undefined;
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    for (const ending of endings) {
      const path = join(folder, name + ending);
      if (folder !== '' && existsSync(path)) return path;
    }
  }
  return undefined;
}

/**
 * @param {string} compiler possibly with arguments, as CXX may have
 * @param {NodeJS.ProcessEnv} env
 */
function compilesCpp20(compiler, env) {
  const [command = '', ...args] = compiler.split(' ');
  const program =
    '#include <concepts>\n#include <span>\ntemplate <std::integral T> T same(T x) { return x; }\nint main() { return same(0); }\n';
  const result = spawnSync(command, [...args, '-std=c++20', '-fsyntax-only', '-x', 'c++', '-'], {
    input: program,
    env,
    timeout: 30_000,
  });
  return result.status === 0;
}

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
function isPython3(name, env) {
  return (
    spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 6))'], { env, timeout: 30_000 }).status === 0
  );
}

/** @param {string} path */
function readOr(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
