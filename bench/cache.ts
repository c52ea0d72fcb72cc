/** What benchmarks keep between runs: converted datasets, exact answers, the peers' built indexes. */
import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** `bench` in the folder where nigh keeps downloads: NIGH_CACHE, else XDG_CACHE_HOME/nigh, else ~/.cache/nigh. */
export function benchCache(...parts: string[]): string {
  const { NIGH_CACHE, XDG_CACHE_HOME } = process.env;
  const cache = NIGH_CACHE
    ? resolve(NIGH_CACHE)
    : XDG_CACHE_HOME
      ? resolve(XDG_CACHE_HOME, 'nigh')
      : join(homedir(), '.cache', 'nigh');
  return join(cache, 'bench', ...parts);
}

/** Writes a file that appears whole or not at all. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(array: Float32Array | Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The first `count` float32 values of a file; all of them where it holds fewer. Undefined where there is no such file. */
export async function readFloats(path: string, count = Number.POSITIVE_INFINITY): Promise<Float32Array | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const out = new Float32Array(Math.min(count, (await file.stat()).size / 4));
    const bytes = bytesOf(out);
    // One read of more than 2 GiB is refused.
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, 2 ** 30), at);
      if (bytesRead === 0) throw new Error(`${path} ends after ${at} of ${bytes.length} bytes; remove it.`);
      at += bytesRead;
    }
    return out;
  } finally {
    await file.close();
  }
}

/** A short name for what something was made from. */
export function digestOf(...parts: readonly (string | number | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part instanceof Uint8Array ? part : `${part}\n`);
  return hash.digest('hex').slice(0, 20);
}
