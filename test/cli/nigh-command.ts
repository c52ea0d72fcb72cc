import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The repository's root. */
export const repository = resolve(import.meta.dirname, '../..');

/** The command as it is installed: what the tests run is the build, not the sources. */
export const command = join(repository, 'dist/cli/main.js');

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `nigh` to its end. */
export function nigh(
  args: readonly string[],
  { cwd, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 110_000,
  });
  return { status, stdout, stderr };
}

/** A `nigh` that runs on, with what it has said so far. */
export class RunningNigh {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly finished: Promise<Finished>;

  constructor(args: readonly string[], { cwd, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    this.child = spawn(process.execPath, [command, ...args], { cwd, env: { ...process.env, ...env } });
    this.child.stdout?.on('data', (chunk) => {
      this.stdout += String(chunk);
    });
    this.child.stderr?.on('data', (chunk) => {
      this.stderr += String(chunk);
    });
    this.finished = new Promise((done, failed) => {
      this.child.on('error', failed);
      this.child.on('close', (status) => done({ status, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** Waits until the output has a match. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const ended = this.finished.then(() => true);
    for (;;) {
      const match = pattern.exec(this.stdout + this.stderr);
      if (match !== null) return match;
      const over = await Promise.race([ended, new Promise<false>((next) => setTimeout(next, 20, false))]);
      if (over && pattern.exec(this.stdout + this.stderr) === null) {
        throw new Error(`nigh ended without saying ${pattern}:\n${this.stdout}${this.stderr}`);
      }
    }
  }
}

/** Says what to do where the build is missing, before twenty tests fail for that reason. */
export function requireBuild(): void {
  if (!existsSync(command)) throw new Error('dist/ is missing: run `npm run build`, or the tests through `npm test`.');
}
