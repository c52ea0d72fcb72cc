/** A Python program that does a task again and again, so that its rounds can be taken in turn with ours. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { say } from '../report/say.js';
import { repository } from './datasets.js';
import type { Cost } from './interleave.js';

/** Where a Python may be that has the libraries; the first that has them is taken. */
const interpreters = [process.env.NIGH_PYTHON, 'python3', '/usr/bin/python3'].filter((path) => path !== undefined);

export interface PythonTask {
  /** Names and versions of its libraries. */
  readonly version: string;
  /** Does the task once. */
  run(): Promise<Cost>;
  /** Does it once more and says how good it is. */
  quality(): Promise<number>;
  close(): void;
}

/**
 * @param needs the library without which it is left out, for the message
 * @returns undefined where no Python has the libraries
 */
export async function pythonTask(needs: string, args: readonly string[]): Promise<PythonTask | undefined> {
  for (const interpreter of interpreters) {
    const child = spawn(interpreter, ['-u', join(repository, 'bench/content/by_hand.py'), ...args], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const task = await converse(child);
    if (task !== undefined) return task;
  }
  say(`  Python with ${needs} is not here and is left out; NIGH_PYTHON names another interpreter.`);
  return undefined;
}

async function converse(child: ChildProcessByStdio<Writable, Readable, null>): Promise<PythonTask | undefined> {
  const ended = new Promise<undefined>((resolve) => {
    child.on('error', () => resolve(undefined));
    child.on('close', () => resolve(undefined));
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = () => Promise.race([lines.next().then(({ value }) => value as string | undefined), ended]);
  const first = await read();
  if (first === undefined) return undefined;
  const { version } = JSON.parse(first) as { version: string };
  const ask = async (line: string) => {
    child.stdin.write(`${line}\n`);
    const answer = await read();
    if (answer === undefined) throw new Error('The Python program ended.');
    return JSON.parse(answer) as Cost & { quality?: number };
  };
  return {
    version,
    run: () => ask(''),
    quality: async () => (await ask('quality')).quality ?? Number.NaN,
    close: () => child.stdin.end(),
  };
}
