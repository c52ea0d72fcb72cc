import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { packageFolder, repositoryFolder } from '../algorithms/installed.js';
import { writeWhole } from '../cache.js';

/** Writes JSON as the formatter of the repository has it, so that a result can be kept as it was written. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const biome = join(packageFolder('@biomejs/biome'), 'bin', 'biome');
  const formatted = execFileSync(process.execPath, [biome, 'format', '--stdin-file-path=result.json'], {
    cwd: repositoryFolder(),
    input: JSON.stringify(value),
    maxBuffer: 2 ** 28,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await writeWhole(path, formatted);
}
