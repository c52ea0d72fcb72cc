import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { IdSet } from 'nigh/index';
import { Database, PgVectorIndex } from 'nigh/postgres';
import { digestOf } from '../cache.js';
import type { PeerMetric } from '../datasets/dataset.js';
import type { Algorithm, AlgorithmSpec } from './algorithm.js';
import { BuildParameters } from './build-parameters.js';
import { databaseVariable } from './database-variable.js';

/**
 * pgvector in a PostgreSQL of somebody's, through our `PgVectorIndex`: asynchronous queries only, each of them a round trip. Its index is a table
 * `nigh_bench_…`, which stays; what is kept as a file is its name.
 */
export async function pgVector(spec: AlgorithmSpec): Promise<Algorithm> {
  const parameters = new BuildParameters(spec);
  const m = parameters.count('m', 16);
  const efConstruction = parameters.count('efConstruction', 200);
  parameters.refuseOthers();
  const url = process.env[databaseVariable] ?? '';
  const { name: database, version } = await inDatabase(url, async (opened) => ({
    name: opened.name,
    version: await versionOf(opened),
  }));
  const openTable = async (path: string, metric: PeerMetric) =>
    PgVectorIndex.open({ connection: url, table: (await readFile(path, 'utf8')).trim(), metric });
  return {
    name: spec.label ?? `pgvector m=${m}`,
    parameters: `m ${m}, efConstruction ${efConstruction}`,
    ours: false,
    effort: 'hnsw.ef_search',
    leastEffort: (k) => k,
    // The database decides.
    buildsInParallel: false,
    openModes: ['memory'],
    version: () => version,
    fingerprint: () => database,
    async build({ base, metric }, path) {
      const table = `nigh_bench_${digestOf(basename(dirname(path)))}`;
      await inDatabase(url, (opened) => opened.read(`DROP TABLE IF EXISTS ${table}`));
      const began = performance.now();
      const index = await PgVectorIndex.build(base, { connection: url, table, metric, m, efConstruction, graph: true });
      const seconds = (performance.now() - began) / 1000;
      index.close();
      await writeFile(path, table);
      return { seconds, cpuSeconds: null };
    },
    async savedBytes(path) {
      // Any metric will do to see how large the table is.
      const index = await openTable(path, 'l2');
      const bytes = index.memoryBytes;
      index.close();
      return bytes;
    },
    async open({ metric }, path) {
      const index = await openTable(path, metric);
      let efSearch = 64;
      let filter: IdSet | undefined;
      return {
        setEffort(effort) {
          efSearch = effort;
        },
        setFilter(ids) {
          filter = ids && IdSet.allow(ids);
        },
        queryAsync: async (vector, k) =>
          (await index.search(vector, k, filter === undefined ? { efSearch } : { efSearch, filter })).ids,
        close: () => index.close(),
      };
    },
  };
}

async function versionOf(database: Database): Promise<string> {
  const [row] = await database.read(
    "SELECT coalesce(installed_version, default_version), current_setting('server_version') FROM pg_available_extensions WHERE name = 'vector'",
  );
  if (row === undefined) throw new Error(`${database.name} has no pgvector.`);
  return `${row[0]}, PostgreSQL ${row[1]}`;
}

async function inDatabase<Result>(url: string, work: (database: Database) => Promise<Result>): Promise<Result> {
  const database = await Database.open(url, { connections: 1 });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
