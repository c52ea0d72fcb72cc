// Child processes: quiet ones, whose output is shown only when they fail, and visible ones. Ctrl-C reaches a child through the terminal's
// process group; a script waits for it to clean up and then leaves with 130.
import { spawn } from 'node:child_process';
import { root } from './paths.mjs';

/** What a script ends with when a child failed and has already said why. */
export class CommandFailed extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode
   * @param {string} output
   */
  constructor(message, exitCode, output) {
    super(message);
    this.exitCode = exitCode;
    this.output = output;
  }
}

/**
 * @typedef {object} RunOptions
 * @property {NodeJS.ProcessEnv} [env] default: this process's
 * @property {boolean} [visible] share the terminal instead of collecting the output; default false
 * @property {string} [cwd] default: the package's root
 */

/**
 * Runs a command to its end and gives its output. Throws CommandFailed when it does not end with 0.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<string>}
 */
export function run(command, args, options = {}) {
  const { promise } = start(command, args, options);
  return promise;
}

/**
 * As `run`, with the child at hand.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export function start(command, args, { env = process.env, visible = false, cwd = root } = {}) {
  const child = spawn(command, [...args], {
    cwd,
    env,
    stdio: visible ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  /** @type {Promise<string>} */
  const promise = new Promise((resolve, reject) => {
    let output = '';
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output += chunk.toString();
      // Enough for any compiler's complaint; a runaway child must not fill the memory.
      if (output.length > 4_000_000) output = output.slice(-2_000_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const interrupted = () => {}; // the child has the signal too: wait for its end
    const terminated = () => child.kill('SIGTERM');
    process.on('SIGINT', interrupted);
    process.on('SIGTERM', terminated);
    const done = () => {
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', terminated);
    };
    child.on('error', (error) => {
      done();
      reject(new CommandFailed(`${command} could not be started: ${error.message}.`, 1, output));
    });
    child.on('close', (code, signal) => {
      done();
      if (code === 0) return resolve(output);
      const exitCode = code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1);
      const how = code === null ? `ended by ${signal}` : `exit code ${code}`;
      // Some are given every file of the tree.
      const line = [command, ...args].join(' ');
      const shown = line.length > 500 ? `${line.slice(0, 500)} …` : line;
      reject(new CommandFailed(`${shown} failed (${how}).`, exitCode, output));
    });
  });
  return { child, promise };
}

/**
 * npm itself: the one that runs us, else the one on the PATH.
 * @returns {{ command: string, args: string[] }}
 */
export function npmCommand() {
  const path = process.env.npm_execpath;
  if (path !== undefined && /npm-cli\.[cm]?js$/.test(path)) return { command: process.execPath, args: [path] };
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] };
}
