/** What becomes of questions when the database goes away, and of what must never be told. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import { Database } from '../../src/postgres/database.js';
import { PgVectorIndex } from '../../src/postgres/pg-vector-index.js';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { RunningNigh } from '../cli/nigh-command.js';
import { clustered, rowOf } from '../contract/matrices.js';
import { smallRecipe, writeSmallWorld } from '../retrieval/support/small-world.js';
import { type PgliteServer, startPglite } from './support/pglite-server.js';

const password = 'swordfish';
let server: PgliteServer;
let directory: string;

beforeAll(async () => {
  server = await startPglite();
  directory = await mkdtemp(join(tmpdir(), 'nigh-connections-'));
});
afterAll(async () => {
  await server?.close();
  await rm(directory, { recursive: true, force: true });
});

const matrix = clustered(300, 8, 7);

describe('a connection', () => {
  test('that was lost between two questions is made anew', async () => {
    using index = await PgVectorIndex.build(matrix, { connection: server.url, table: 'lost', metric: 'l2' });
    await server.stop();
    await server.start();
    expect((await index.search(rowOf(matrix, 5), 1)).ids[0]).toBe(5);
  });

  test('that is lost in the middle and cannot be made anew fails with CONNECTION_LOST, and questions go on once it can', async () => {
    using index = await PgVectorIndex.open({ connection: server.url, table: 'lost', metric: 'l2' });
    const asked = Array.from({ length: 20 }, (_, r) => index.search(rowOf(matrix, r), 1));
    await server.stop();
    const outcomes = await Promise.allSettled(asked);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') expect(outcome.value.ids.length).toBe(1);
      else expect(outcome.reason).toMatchObject({ name: 'NighError', code: 'CONNECTION_LOST', status: 503 });
    }
    await expect(index.search(rowOf(matrix, 1), 1)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    const change = index.add({ data: rowOf(matrix, 1), rows: 1, dim: 8 }, [900]);
    await expect(change).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await server.start();
    expect((await index.search(rowOf(matrix, 1), 1)).ids[0]).toBe(1);
    expect(index.size).toBe(300);
  });

  test('that nobody answers in time fails with CONNECTION_LOST', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    await expect(Database.open(`postgres://a@127.0.0.1:${port}/b`, { connectMs: 200 })).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
    });
    silent.close();
  });
});

describe('what is not there', () => {
  test.each([
    ['a table', 'NOT_FOUND', { table: 'nowhere.vectors' }],
    ['the columns', 'UNSUPPORTED', { table: 'plain' }],
  ])('%s: %s', async (_, code, options) => {
    const database = await Database.open(server.url);
    await database.alone('CREATE TABLE IF NOT EXISTS plain (id text, embedding real[])');
    await database.close();
    const opening = PgVectorIndex.open({ connection: server.url, metric: 'ip', ...options });
    await expect(opening).rejects.toMatchObject({ code });
  });

  test('another number of dimensions: DIMENSION_MISMATCH', async () => {
    using index = await PgVectorIndex.open({ connection: server.url, table: 'lost', metric: 'l2' });
    await expect(index.search(new Float32Array(7), 1)).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    await expect(index.add({ data: new Float32Array(3), rows: 1, dim: 3 }, [1000])).rejects.toMatchObject({
      code: 'DIMENSION_MISMATCH',
    });
  });
});

describe('a graph', () => {
  test('finds what there is, under filters too, and says how', async () => {
    const rows = clustered(1600, 12, 9);
    const options = { connection: server.url, table: 'graph', graph: true, efConstruction: 40 } as const;
    using index = await PgVectorIndex.build(rows, { ...options, metric: 'cosine' });
    expect(index.capabilities.exact).toBe(false);
    let common = 0;
    for (let r = 0; r < 20; r++) {
      const query = rowOf(clustered(20, 12, 10), r);
      const found = await index.search(query, 10);
      expect(found.stats.plan).toBe('graph');
      const truth = await index.search(query, 10, { exact: true });
      common += found.ids.filter((id) => truth.ids.includes(id)).length;
      // No effort was measured for a wanted recall, so it is answered exactly.
      expect((await index.search(query, 10, { recall: 0.9 })).stats.plan).toBe('scan');
    }
    expect(common / 200).toBeGreaterThanOrEqual(0.95);
    expect(await index.verify()).toMatchObject({ live: 1600, notFound: 0 });
  });
});

describe('a password', () => {
  test('is in no message', async () => {
    const urls = [
      `postgres://user:${password}@127.0.0.1:1/none`,
      `postgres://user:${password}@127.0.0.1:notaport/none`,
      `mysql://user:${password}@127.0.0.1/none`,
    ];
    for (const url of urls) {
      const error: unknown = await Database.open(url, { connectMs: 500 }).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(NighError);
      let told = '';
      for (let at: unknown = error; at instanceof Error; at = at.cause)
        told += `${at.message} ${at.stack} ${JSON.stringify(at)}`;
      expect(told).not.toContain(password);
    }
  });

  test('is printed by no command and written to no file', async () => {
    const world = join(directory, 'world');
    await writeSmallWorld(directory);
    await buildCollection(smallRecipe(directory), world);
    const pushed = await new RunningNigh(['push', world, '--to', server.url, '--json']).finished;
    expect({ status: pushed.status, stderr: pushed.stderr }).toMatchObject({ status: 0 });
    const refused = await new RunningNigh(['push', world, '--to', server.url.replace(/:\d+\//, ':1/')]).finished;
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('CONNECTION_LOST');
    const served = new RunningNigh(['serve', `${server.url}?collection=small-world`, '--port', '0', '--log', '--json']);
    await served.says(/"url"/);
    const { url } = JSON.parse(served.stdout) as { url: string };
    const answer = await fetch(`${url}/v1/collections/small-world/items/river-1/similar?k=3`);
    expect(answer.status).toBe(200);
    const body = await answer.text();
    const metrics = await (await fetch(`${url}/metrics`)).text();
    served.child.kill('SIGTERM');
    const stopped = await served.finished;
    expect(stopped.status).toBe(0);
    const told = [pushed, refused, stopped].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    for (const text of [...told, body, metrics]) expect(text).not.toContain(password);
    for (const file of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) expect(await readFile(join(file.parentPath, file.name), 'latin1')).not.toContain(password);
    }
    const database = await Database.open(server.url);
    for (const table of ['generation', 'files']) {
      const rows = await database.read(`SELECT t::text FROM "nigh_small-world".${table} t`);
      for (const [row] of rows) expect(row).not.toContain(password);
    }
    await database.close();
  });
});
