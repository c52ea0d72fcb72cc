import type { Algorithm, AlgorithmSpec } from './algorithm.js';
import { databaseVariable } from './database-variable.js';
import { hnswlibNode } from './hnswlib-node.js';
import { isInstalled } from './installed.js';
import { nighFlat, nighHnsw } from './nigh.js';

interface Engine {
  /** Why it cannot take part here; undefined where it can. */
  absent(): string | undefined;
  load(spec: AlgorithmSpec): Promise<Algorithm>;
}

/** Every engine that a grid can name, by that name; a peer's package is loaded only when it is asked for. */
const engines: ReadonlyMap<string, Engine> = new Map<string, Engine>([
  ['nigh-hnsw', { absent: () => undefined, load: (spec) => Promise.resolve(nighHnsw(spec)) }],
  ['nigh-flat', { absent: () => undefined, load: (spec) => Promise.resolve(nighFlat(spec)) }],
  ['hnswlib-node', peer('hnswlib-node', (spec) => Promise.resolve(hnswlibNode(spec)))],
  ['usearch', peer('usearch', async (spec) => (await import('./usearch.js')).usearch(spec))],
  ['zvec', peer('@zvec/zvec', async (spec) => (await import('./zvec.js')).zvecHnsw(spec))],
  ['lancedb-hnsw', peer('@lancedb/lancedb', async (spec) => (await import('./lancedb.js')).lancedbHnsw(spec))],
  ['lancedb-ivf', peer('@lancedb/lancedb', async (spec) => (await import('./lancedb.js')).lancedbIvf(spec))],
  [
    'pgvector',
    {
      absent: () => (process.env[databaseVariable] ? undefined : `${databaseVariable} names no database`),
      load: async (spec) => (await import('./pgvector.js')).pgVector(spec),
    },
  ],
]);

function peer(name: string, load: Engine['load']): Engine {
  return { absent: () => (isInstalled(name) ? undefined : `the package ${name} is not installed`), load };
}

export const engineNames = [...engines.keys()];

/** Why an algorithm cannot take part here; undefined where it can. */
export function absence(spec: AlgorithmSpec): string | undefined {
  return engineOf(spec).absent();
}

/** @throws Error for an engine that is none, and for build parameters that it does not have */
export function algorithm(spec: AlgorithmSpec): Promise<Algorithm> {
  return engineOf(spec).load(spec);
}

function engineOf({ key, engine }: AlgorithmSpec): Engine {
  const found = engines.get(engine);
  if (found !== undefined) return found;
  throw new Error(`${key}: unknown engine ${engine}; known: ${engineNames.join(', ')}`);
}
