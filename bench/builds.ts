/**
 * Built indexes. Every build runs in a process of its own, which measures its time and peak memory and saves the index. Those of the peers
 * are kept in the cache, because they are slow and their packages do not change; ours is built in every run.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Algorithm } from './algorithms/algorithm.js';
import { benchCache, digestOf, writeWhole } from './cache.js';
import { runChild } from './children/child.js';
import type { BenchDataset } from './datasets/dataset.js';

export interface BuildRecord {
  readonly engine: string;
  readonly version: string;
  readonly parameters: string;
  readonly threads: number;
  readonly seconds: number;
  /** The most memory held during the build above what the process held with the dataset. */
  readonly peakBytes: number;
  readonly fileBytes: number;
  /** Cores that other processes used meanwhile, on average. */
  readonly othersCores: number;
  /** When it was built, ISO 8601. */
  readonly at: string;
}

export interface BuiltIndex extends BuildRecord {
  readonly path: string;
  /** Whether it was found in the cache: its seconds are from another run. */
  readonly earlier: boolean;
}

/** Where the rows come from, for a child process. */
export interface DatasetLimits {
  readonly dataset: string;
  readonly rows?: number | undefined;
}

/** The index of one engine over one dataset: from the cache where it is a peer's and there, else built. */
export async function builtIndex(
  key: string,
  algorithm: Algorithm,
  dataset: BenchDataset,
  limits: DatasetLimits,
  { threads, rebuild, scratch }: { readonly threads: number; readonly rebuild: boolean; readonly scratch: string },
): Promise<BuiltIndex> {
  const wanted = algorithm.buildsInParallel ? threads : 1;
  const version = algorithm.version();
  const name = `${dataset.name}-${key}-${digestOf(dataset.baseDigest, algorithm.engine, algorithm.parameters, version)}`;
  // A peer's graph hardly depends on the threads that built it: an index of another number is taken and its record says which.
  const folder = algorithm.ours ? join(scratch, `${key}-${wanted}`) : benchCache('indexes', name);
  const path = join(folder, 'index');
  const record = join(folder, 'record.json');
  if (!algorithm.ours && !rebuild) {
    const kept = await readFile(record, 'utf8').catch(() => undefined);
    if (kept !== undefined) return { ...(JSON.parse(kept) as BuildRecord), path, earlier: true };
  }
  await rm(folder, { recursive: true, force: true });
  const measured = await runChild({ task: 'build', algorithm: key, threads: wanted, path, ...limits });
  const { engine, parameters } = algorithm;
  const built: BuildRecord = { engine, version, parameters, ...measured };
  // Last: what a killed build has left is without a record and will be built again.
  await writeWhole(record, `${JSON.stringify(built, null, 2)}\n`);
  return { ...built, path, earlier: false };
}

/** Bytes of a file, or of all files below a folder. */
export async function bytesOnDisk(path: string): Promise<number> {
  const { size } = await stat(path);
  const below = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (below === undefined) return size;
  const files = below.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
