import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Matrix } from 'nigh/index';
import { digestOf } from '../cache.js';
import type { PeerMetric } from '../datasets/dataset.js';
import type { Algorithm, AlgorithmSpec } from './algorithm.js';
import { BuildParameters } from './build-parameters.js';
import { installedVersion } from './installed.js';

/** The environment variable with the URL of a database that may be written to. */
export const databaseVariable = 'NIGH_BENCH_PG';

/** As much of `nigh/postgres` as is used here. */
interface PgIndex {
  search(query: Float32Array, k: number, options: { efSearch: number }): Promise<{ readonly ids: Uint32Array }>;
  readonly memoryBytes: number;
  close(): void;
}
interface Postgres {
  readonly PgVectorIndex: {
    build(matrix: Matrix, options: object): Promise<PgIndex>;
    open(options: object): Promise<PgIndex>;
  };
}

/** pgvector in a PostgreSQL of somebody's, through our `PgVectorIndex`: asynchronous queries only, each of them a round trip. */
export function pgVector(spec: AlgorithmSpec): Algorithm {
  const parameters = new BuildParameters(spec);
  const m = parameters.count('m', 16);
  const efConstruction = parameters.count('efConstruction', 200);
  parameters.refuseOthers();
  const connected = (table: string, metric: PeerMetric) => ({
    connection: process.env[databaseVariable],
    table,
    metric,
  });
  return {
    name: spec.label ?? `pgvector m=${m}`,
    parameters: `m ${m}, efConstruction ${efConstruction}`,
    ours: false,
    effort: 'hnsw.ef_search',
    leastEffort: (k) => k,
    // The database decides.
    buildsInParallel: false,
    openModes: ['memory'],
    version: () => `PgVectorIndex of nigh ${installedVersion('nigh')}`,
    async build({ base, metric }, path) {
      const { PgVectorIndex } = await postgres();
      // The index is the table; what is kept as a file is its name.
      const table = `nigh_bench_${digestOf(basename(dirname(path)), Date.now())}`;
      const began = performance.now();
      const index = await PgVectorIndex.build(base, { ...connected(table, metric), m, efConstruction, graph: true });
      const seconds = (performance.now() - began) / 1000;
      index.close();
      await writeFile(path, table);
      return { seconds };
    },
    async open({ metric }, path) {
      const { PgVectorIndex } = await postgres();
      const index = await PgVectorIndex.open(connected((await readFile(path, 'utf8')).trim(), metric));
      let efSearch = 64;
      return {
        setEffort(effort) {
          efSearch = effort;
        },
        queryAsync: async (vector, k) => (await index.search(vector, k, { efSearch })).ids,
        close: () => index.close(),
      };
    },
  };
}

async function postgres(): Promise<Postgres> {
  return (await import('nigh/postgres' as string)) as Postgres;
}
