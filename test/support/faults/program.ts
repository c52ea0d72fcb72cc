/**
 * Programs whose changes to the file system are seen from below (shim.c): recorded in their order, or made to fail, or ended by SIGKILL, at
 * a chosen one of them. It reaches Node, the addon and lmdb alike, and needs nothing in the code under test. Linux with a C compiler only.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A change to a file below the watched directory. */
export interface Call {
  readonly name:
    | 'create'
    | 'write'
    | 'flushed-write'
    | 'truncate'
    | 'fsync'
    | 'rename'
    | 'link'
    | 'unlink'
    | 'rmdir'
    | 'mkdir';
  readonly path: string;
  /**
   * Of a rename or link: the new name. Of a write: how many bytes; a flushed one is on disk when it returns. Of a truncate: the length;
   * of a create that begins a file anew: 0.
   */
  readonly second: string;
  /** Of a write, where bytes were kept: its place in the file, and that of its bytes among those kept. */
  readonly offset?: number;
  readonly keptAt?: number;
}

/**
 * What goes wrong at call number `at` (from 1): `kill` ends the process instead of the call, `torn` after half of a write; `EIO` lets the
 * one call fail, `late` does a write and lets it and the next call fail, `ENOSPC` lets all fail from there on that take room.
 */
export interface Fault {
  readonly at: number;
  readonly how: 'kill' | 'torn' | 'EIO' | 'late' | 'ENOSPC';
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** In their order, the one that went wrong included. */
  readonly calls: readonly Call[];
  /** What was written, one after the other; empty unless it was to be kept. */
  readonly bytes: Buffer;
}

export interface FaultyRun {
  /** The directory whose changes count. */
  readonly root: string;
  readonly fault?: Fault | undefined;
  /** SIGKILL from outside after so many milliseconds. */
  readonly killAfterMs?: number | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Whether what is written is kept. Default false. */
  readonly keepBytes?: boolean | undefined;
  /** A program that takes longer hangs: it is killed, and the promise rejects. Default 60 s. */
  readonly timeoutMs?: number | undefined;
}

const here = fileURLToPath(new URL('.', import.meta.url));
const repository = join(here, '../../..');

/** Why programs cannot be watched on this machine, or undefined where they can. */
export const faultsMissing: string | undefined =
  process.platform !== 'linux' ? 'only on Linux' : compiler() === undefined ? 'no C compiler' : undefined;

function compiler(): string | undefined {
  const candidates = [(process.env.CC ?? '').split(' ').at(-1) ?? '', 'cc', 'gcc', 'clang'];
  return candidates.find((name) => name !== '' && spawnSync(name, ['--version']).status === 0);
}

let compiled: string | undefined;

/** The compiled shim; kept below build/ by its content. */
function shim(): string {
  if (compiled !== undefined) return compiled;
  const source = join(here, 'shim.c');
  const name = `fault-shim-${createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)}.so`;
  const folder = join(repository, 'build/test');
  const path = join(folder, name);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const draft = `${path}.${process.pid}`;
    const args = ['-shared', '-fPIC', '-O1', '-Wall', '-o', draft, source, '-ldl'];
    const { status, stderr } = spawnSync(compiler() ?? 'cc', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`The shim cannot be compiled: ${stderr}`);
    renameSync(draft, path);
  }
  compiled = path;
  return path;
}

/** Runs a Node program under the shim, to its end. */
export async function runFaulty(
  program: readonly string[],
  { root, fault, killAfterMs, env = {}, keepBytes = false, timeoutMs = 60_000 }: FaultyRun,
): Promise<Outcome> {
  const scratch = mkdtempSync(join(tmpdir(), 'nigh-faults-'));
  const log = join(scratch, 'calls');
  const bytes = join(scratch, 'bytes');
  try {
    const child = spawn(process.execPath, program, {
      env: {
        ...process.env,
        ...env,
        LD_PRELOAD: shim(),
        UV_USE_IO_URING: '0',
        NIGH_FAULT_ROOT: realpathSync(root),
        NIGH_FAULT_LOG: log,
        ...(keepBytes && { NIGH_FAULT_BYTES: bytes }),
        ...(fault === undefined ? {} : { NIGH_FAULT_AT: String(fault.at), NIGH_FAULT_HOW: fault.how }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    let hung = false;
    const timers = [
      setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, timeoutMs),
      ...(killAfterMs === undefined ? [] : [setTimeout(() => child.kill('SIGKILL'), killAfterMs)]),
    ];
    const ended = await new Promise<Pick<Outcome, 'code' | 'signal'>>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    for (const timer of timers) clearTimeout(timer);
    if (hung) {
      const what = fault === undefined ? '' : ` (${fault.how} at ${fault.at})`;
      throw new Error(`${program.join(' ')}${what} did not end in ${timeoutMs} ms.\n${stderr}`);
    }
    return {
      ...ended,
      stdout,
      stderr,
      calls: existsSync(log) ? readCalls(log) : [],
      bytes: existsSync(bytes) ? readFileSync(bytes) : Buffer.alloc(0),
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function readCalls(log: string): Call[] {
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [name, path = '', second = '', offset, keptAt] = line.split('\t');
    const kept = offset !== undefined && { offset: Number(offset), keptAt: Number(keptAt) };
    return { name: name as Call['name'], path, second, ...kept };
  });
}
