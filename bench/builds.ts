/**
 * Built indexes. Every build runs in a process of its own, which measures its time and peak memory and saves the index. They are kept in
 * the cache by digest of rows, parameters and version, ours also by that of the compiled core, so that long builds need not be part of a
 * measured run; the record says when each was built and how busy the machine was.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Algorithm, AlgorithmSpec } from './algorithms/algorithm.js';
import { benchCache, digestOf, writeWhole } from './cache.js';
import { type BuildAnswer, runChild } from './children/child.js';
import type { BenchDataset } from './datasets/dataset.js';
import type { DatasetReference } from './datasets/registry.js';

export interface BuiltIndex extends BuildAnswer {
  /** Whether it was found in the cache: its seconds are from another run. */
  readonly earlier: boolean;
}

export interface BuiltIndexes {
  /** The index that is searched: of the first number of threads. */
  readonly path: string;
  /** One a number of threads, the searched one first. */
  readonly builds: readonly BuiltIndex[];
}

/** Where the rows come from, for a child process. */
export interface DatasetLimits {
  readonly dataset: DatasetReference;
  readonly rows?: number | undefined;
}

/** The index of one engine over one dataset, and how long it takes on each number of threads: from the cache, else built. */
export async function builtIndexes(
  spec: AlgorithmSpec,
  algorithm: Algorithm,
  dataset: BenchDataset,
  limits: DatasetLimits,
  { threads, rebuild }: { readonly threads: readonly number[]; readonly rebuild: boolean },
): Promise<BuiltIndexes> {
  const { parameters } = algorithm;
  const fingerprint = algorithm.fingerprint?.();
  const digest = digestOf(
    ...[dataset.baseDigest, spec.engine, parameters, algorithm.version()],
    ...(fingerprint === undefined ? [] : [fingerprint]),
  );
  const folder = benchCache('indexes', `${dataset.name}-${spec.key}-${digest}`);
  const path = join(folder, 'index');
  const [first, ...others] = algorithm.buildsInParallel ? threads : [1];
  const build = async (count: number, searched: boolean): Promise<BuiltIndex> => {
    // The searched index is whole where its record is there: a killed build leaves none and is built again.
    const record = join(folder, searched ? 'record.json' : `record-${count}.json`);
    const kept = rebuild ? undefined : await readFile(record, 'utf8').catch(() => undefined);
    if (kept !== undefined) {
      const { cpuSeconds, ...known } = JSON.parse(kept) as Partial<BuildAnswer> & Omit<BuildAnswer, 'cpuSeconds'>;
      // What was built before processor time was measured has none.
      return { ...known, cpuSeconds: cpuSeconds ?? null, earlier: true };
    }
    const target = searched ? path : join(folder, `index-${count}`);
    await rm(record, { force: true });
    await rm(target, { recursive: true, force: true });
    const measured = await runChild({ task: 'build', algorithm: spec, threads: count, path: target, ...limits });
    if (!searched) await rm(target, { recursive: true, force: true });
    await writeWhole(record, `${JSON.stringify(measured, null, 2)}\n`);
    return { ...measured, earlier: false };
  };
  const builds = [await build(first!, true)];
  for (const count of others)
    if (builds.every((known) => known.threads !== count)) builds.push(await build(count, false));
  return { path, builds };
}

/** The files that an index consists of. */
export async function filesOf(path: string): Promise<string[]> {
  const below = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (below === undefined) return [path];
  return below.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Bytes of a file, or of all files below a folder. */
export async function bytesOnDisk(path: string): Promise<number> {
  const sizes = await Promise.all((await filesOf(path)).map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
