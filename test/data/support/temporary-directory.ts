import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';

const made: string[] = [];

afterEach(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true });
});

/** A directory with the files given by their names, removed after the test. */
export async function temporaryDirectory(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nigh-test-'));
  made.push(directory);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
  }
  return directory;
}
