/**
 * The contract, put to tables of PostgreSQL: exact ones on PGlite, over its socket, and ones with an HNSW index where NIGH_TEST_PG names a
 * database (postgres://…, in which a schema `nigh_contract` is made and dropped).
 */
import { afterAll, beforeAll, describe } from 'vitest';
import type { Matrix } from '../../src/core/matrix.js';
import { isPlainObject } from '../../src/core/params.js';
import { productMetricNames } from '../../src/index/vector-index.js';
import { Database } from '../../src/postgres/database.js';
import { PgVectorIndex } from '../../src/postgres/pg-vector-index.js';
import { type PgliteServer, startPglite } from '../postgres/support/pglite-server.js';
import type { BuildChoice, Subject } from './subjects.js';
import { vectorIndexContract } from './vector-index.contract.js';

let tables = 0;

function subject(name: string, database: () => Database, graph: boolean, runs: number): Subject {
  return {
    name,
    metrics: productMetricNames,
    changes: 'allowed',
    files: false,
    runs,
    build: (matrix: Matrix, options: BuildChoice) => {
      const given = isPlainObject(options) ? options : { metric: options };
      const connection = { connection: database(), table: `nigh_contract.t${tables++}`, graph };
      return PgVectorIndex.build(matrix, { ...given, ...connection } as Parameters<typeof PgVectorIndex.build>[1]);
    },
  };
}

async function openFresh(url: string): Promise<Database> {
  const database = await Database.open(url);
  await database.alone('DROP SCHEMA IF EXISTS nigh_contract CASCADE; CREATE SCHEMA nigh_contract');
  return database;
}

describe('on PGlite', () => {
  let server: PgliteServer;
  let database: Database;
  beforeAll(async () => {
    server = await startPglite();
    database = await openFresh(server.url);
  });
  afterAll(async () => {
    await database?.close();
    await server?.close();
  });
  vectorIndexContract(subject('PgVectorIndex without a graph', () => database, false, 4));
});

const given = process.env.NIGH_TEST_PG;
describe.skipIf(given === undefined)('on the PostgreSQL of NIGH_TEST_PG', () => {
  let database: Database;
  beforeAll(async () => {
    database = await openFresh(given!);
  });
  afterAll(async () => {
    await database?.alone('DROP SCHEMA IF EXISTS nigh_contract CASCADE');
    await database?.close();
  });
  vectorIndexContract(subject('PgVectorIndex without a graph', () => database, false, 12));
  vectorIndexContract(subject('PgVectorIndex with a graph', () => database, true, 12));
});
