import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs one of the programs beside this file in a process of its own: a crash there is an outcome, not the end of the tests.
 * @param addressKilobytes what all of its memory and maps may take together; default: anything
 */
export function runProgram(
  name: string,
  env: Record<string, string> = {},
  addressKilobytes: number | 'unlimited' = 'unlimited',
): Promise<Outcome> {
  const path = fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
  const limited = ['-c', `ulimit -v ${addressKilobytes} && exec "$0" "$@"`, process.execPath, path];
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env } };
    const child =
      addressKilobytes === 'unlimited' ? spawn(process.execPath, [path], options) : spawn('sh', limited, options);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
