import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { command, type Finished, repository } from './nigh-command.js';

const { nativeImport }: { nativeImport: (address: string) => Promise<unknown> } = createRequire(import.meta.url)(
  join(repository, 'test/support/native-import.cjs'),
);
const signals = ['SIGINT', 'SIGTERM'] as const;
let runs = 0;

/**
 * Runs `nigh` to its end in this process, from the same build: a tenth of the time that a process takes to start and to load. For what is about the
 * command's words and answers; what is about signals, pipes, crashes or its start is for a process of its own.
 * @param messagesToo writes messages into stdout as well, in the order of their coming
 */
export async function nighInside(
  args: readonly string[],
  {
    cwd = process.cwd(),
    env = {},
    messagesToo = false,
  }: { cwd?: string; env?: NodeJS.ProcessEnv; messagesToo?: boolean } = {},
): Promise<Finished> {
  // Where lines are counted (src/setup/coverage.mjs) they are those of processes of their own.
  if (process.env.NODE_V8_COVERAGE !== undefined) return nighOutside(args, cwd, env, messagesToo);
  const before = { argv: process.argv, cwd: process.cwd(), env: { ...process.env }, exitCode: process.exitCode };
  const listeners = [process.stdout, process.stderr].map((stream) => stream.listeners('error'));
  const heard = signals.map((signal) => process.listeners(signal));
  const write = { stdout: process.stdout.write, stderr: process.stderr.write };
  let stdout = '';
  let stderr = '';
  process.stdout.write = (chunk: unknown) => {
    stdout += String(chunk);
    return true;
  };
  process.stderr.write = (chunk: unknown) => {
    stderr += String(chunk);
    if (messagesToo) stdout += String(chunk);
    return true;
  };
  process.argv = [process.execPath, command, ...args];
  process.exitCode = undefined;
  process.chdir(cwd);
  Object.assign(process.env, env);
  try {
    // main.js runs its command when it is loaded; under another address it is loaded anew, and what it imports is not.
    await nativeImport(`${pathToFileURL(command).href}?run=${runs++}`);
    return { status: Number(process.exitCode ?? 0), stdout, stderr };
  } finally {
    process.stdout.write = write.stdout;
    process.stderr.write = write.stderr;
    process.argv = before.argv;
    process.exitCode = before.exitCode;
    process.chdir(before.cwd);
    for (const name of Object.keys(env)) {
      if (before.env[name] === undefined) delete process.env[name];
      else process.env[name] = before.env[name];
    }
    for (const [i, stream] of [process.stdout, process.stderr].entries()) {
      for (const listener of stream.listeners('error'))
        if (!listeners[i]?.includes(listener)) stream.off('error', listener as () => void);
    }
    for (const [i, signal] of signals.entries()) {
      for (const listener of process.listeners(signal))
        if (!heard[i]?.includes(listener)) process.off(signal, listener);
    }
  }
}

function nighOutside(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, messagesToo: boolean): Finished {
  const script = `exec "$0" "$@"${messagesToo ? ' 2>&1' : ''}`;
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, command, ...args], options);
  return { status, stdout, stderr };
}
