/**
 * A collection that is pushed into PostgreSQL and served from it: PGlite over its socket, one thing at a time. Where NIGH_TEST_PG names a database,
 * the same against that one, in which schemas of the collection small-world are made and dropped.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../src/postgres/database.js';
import { layoutOf } from '../../src/postgres/layout.js';
import { openPushed } from '../../src/postgres/open-pushed.js';
import { type PushStep, pushCollection } from '../../src/postgres/push-collection.js';
import { dropIncomplete, schemasOf } from '../../src/postgres/pushed-schemas.js';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import type { Answer } from '../../src/retrieval/types.js';
import { retrieverContract } from '../retrieval/retriever.contract.js';
import { itemIds, likes, smallRecipe, writeSmallWorld } from '../retrieval/support/small-world.js';
import { type PgliteServer, startPglite } from './support/pglite-server.js';

const liveSchema = 'nigh_small-world';

function pushContract(urlOf: () => string): void {
  let directory: string;
  let world: string;
  let local: Retriever;
  let pushed: Retriever;
  let database: Database;

  // Others may have pushed theirs there.
  const named = (name = 'small-world') => `${urlOf()}${urlOf().includes('?') ? '&' : '?'}collection=${name}`;
  const clear = async () => {
    const schemas = await database.read(
      `SELECT quote_ident(nspname) FROM pg_namespace WHERE starts_with(nspname, '${liveSchema}')`,
    );
    for (const [schema] of schemas) await database.alone(`DROP SCHEMA ${schema} CASCADE`);
  };
  const schemas = async () =>
    (
      await database.read(
        `SELECT nspname FROM pg_namespace WHERE starts_with(nspname, '${liveSchema}') ORDER BY nspname`,
      )
    ).map(([name]) => name);

  beforeAll(async () => {
    database = await Database.open(urlOf(), { connections: 1 });
    await clear();
    directory = await mkdtemp(join(tmpdir(), 'nigh-push-'));
    world = join(directory, 'world');
    await writeSmallWorld(directory);
    await buildCollection(smallRecipe(directory), world);
    local = await Retriever.open(world);
    const { switched, tables, items } = await pushCollection(world, { to: urlOf() });
    expect({ switched, items }).toEqual({ switched: true, items: itemIds.length });
    expect(tables.map(({ table, graph }) => [table, graph])).toEqual([
      ['similar_cf', true],
      ['recommend_cf', true],
      ['users_cf', false],
      ['similar_text', true],
    ]);
    for (const { recallAt10 } of tables) expect(recallAt10).toBeGreaterThanOrEqual(0.95);
    pushed = await openPushed(named());
  });
  afterAll(async () => {
    await pushed?.close();
    await local?.close();
    await clear();
    await database?.close();
    await rm(directory, { recursive: true, force: true });
  });

  retrieverContract(() => pushed, 'pgvector');

  /** The same list but for items that are equally good, to rounding. */
  const alike = (a: Answer, b: Answer) => {
    expect(a.results.length).toBe(b.results.length);
    const last = b.results.at(-1)!.score;
    a.results.forEach(({ id, title, attributes, score, likeness }, at) => {
      expect(score).toBeCloseTo(b.results[at]!.score, 4);
      expect(likeness).toBeCloseTo(b.results[at]!.likeness, 3);
      const own = b.results.find((result) => result.id === id);
      expect(score).toBeCloseTo(own?.score ?? last, 4);
      if (own !== undefined) expect({ title, attributes }).toEqual({ title: own.title, attributes: own.attributes });
    });
  };

  test('exact answers are those of the collection itself, whatever is asked', async () => {
    const user = [...likes.keys()][3]!;
    const where = 'year >= 1960';
    const ask: ((from: Retriever) => Promise<Answer>)[] = [
      (from) => from.similarItems('river-4', { k: 12, exact: true, space: 'cf' }),
      (from) => from.similarItems('opera-20', { k: 5, exact: true, where, space: 'text', deny: ['opera-21'] }),
      (from) => from.recommend(user, { k: 9, exact: true }),
      (from) => from.recommend(user, { k: 9, exact: true, excludeSeen: false, diversity: 0.4 }),
      (from) => from.recommendFor([{ item: 'river-1' }, { item: 'opera-2', weight: 2 }], { k: 8, exact: true }),
      (from) => from.query({ user, item: 'river-2', k: 7, exact: true, weights: { cf: 0.6, text: 0.4 } }),
      (from) => from.query({ text: 'the desert', k: 6, exact: true }),
      (from) => from.query({ user, k: 5, exact: true, popularity: 0.3, perGroup: { attribute: 'genres', most: 2 } }),
    ];
    for (const question of ask) alike(await question(pushed), await question(local));
    const [a, b] = await Promise.all([pushed.similarUsers(user, { k: 5 }), local.similarUsers(user, { k: 5 })]);
    expect(a.results.map(({ id }) => id)).toEqual(b.results.map(({ id }) => id));
    expect(pushed.item('lonely-1')).toEqual(local.item('lonely-1'));
    expect(pushed.findItems('river')).toEqual(local.findItems('river'));
  });

  test('neighbours of all items are those of the collection itself', async () => {
    const rows = async (from: Retriever) => {
      const all = new Map<string, readonly number[]>();
      for await (const block of from.neighbors({ of: 'items', k: 4, exact: true })) {
        for (const { id, scores } of block) all.set(id, [...scores]);
      }
      return all;
    };
    const [theirs, ours] = [await rows(pushed), await rows(local)];
    expect([...theirs.keys()]).toEqual([...ours.keys()]);
    for (const [id, scores] of theirs) {
      scores.forEach((score, at) => {
        expect(score).toBeCloseTo(ours.get(id)![at]!, 4);
      });
    }
  });

  test('changes are refused with READ_ONLY', async () => {
    await expect(pushed.deleteItem('river-1')).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(pushed.addInteractions([{ user: 'x', item: 'river-1' }])).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(pushed.compact()).rejects.toMatchObject({ code: 'READ_ONLY' });
  });

  test('pushing what is live there changes nothing', async () => {
    expect(await pushCollection(world, { to: urlOf() })).toMatchObject({ switched: false, dropped: [] });
  });

  test('a push that ends at any step leaves the old view, and the next clears what it left and switches', async () => {
    await buildCollection(smallRecipe(directory, { description: 'Four other themes' }), world);
    for (const last of ['items', 'vectors', 'recall', 'switch'] satisfies PushStep[]) {
      const stop = new AbortController();
      const onProgress = (step: PushStep) => {
        if (step === last) stop.abort();
      };
      const dying = pushCollection(world, { to: urlOf(), onProgress, signal: stop.signal });
      await expect(dying).rejects.toMatchObject({ code: 'ABORTED' });
      expect(await pushed.liveGeneration()).toBe('gen-000001');
      expect((await pushed.similarItems('river-1', { k: 3 })).results).toHaveLength(3);
      const [row] = await database.read(`SELECT generation FROM "${liveSchema}".generation`);
      expect(row).toEqual(['gen-000001']);
    }
    const next = await pushCollection(world, { to: urlOf() });
    expect(next).toMatchObject({ switched: true, generation: 'gen-000002', dropped: [] });
    expect(await schemas()).toEqual([liveSchema, `${liveSchema}_gen_000001`, `${liveSchema}_gen_000002`]);
    expect(await pushed.liveGeneration()).toBe('gen-000002');
    await using reopened = await pushed.reopen();
    expect(reopened.info).toMatchObject({ generation: 'gen-000002', description: 'Four other themes' });
    // Who has it open goes on with the old one until it is dropped.
    expect((await pushed.similarItems('river-1', { k: 3 })).stats.generation).toBe('gen-000001');
  });

  test('keeps as many generations as it is told', async () => {
    expect(await pushCollection(world, { to: urlOf(), keep: 1 })).toMatchObject({
      switched: false,
      dropped: [`${liveSchema}_gen_000001`],
    });
    expect(await schemas()).toEqual([liveSchema, `${liveSchema}_gen_000002`]);
  });

  test('a collection that is not there is named, with those that are', async () => {
    await expect(openPushed(named('small-wrld'))).rejects.toMatchObject({
      code: 'UNKNOWN_COLLECTION',
      message: expect.stringContaining('"small-world"'),
    });
  });
}

describe('on PGlite', () => {
  let server: PgliteServer;
  beforeAll(async () => {
    server = await startPglite();
  });
  afterAll(() => server?.close());
  pushContract(() => server.url);
});

const given = process.env.NIGH_TEST_PG;
describe.skipIf(given === undefined)('on the PostgreSQL of NIGH_TEST_PG', () => {
  pushContract(() => given!);

  // PGlite is one connection.
  test('a switch that a dead push had sent already, and that is committed later, keeps its generation', async () => {
    const layout = layoutOf('small-world');
    const schema = layout.generation('gen-000009');
    const database = await Database.open(given!);
    await database.alone(
      `CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".generation AS SELECT false AS complete, 'now' AS created_at`,
    );
    let clearing: Promise<void> | undefined;
    await database.transact(async ({ read }) => {
      await read(`UPDATE "${schema}".generation SET complete = true`);
      clearing = dropIncomplete(database, layout);
      // It has seen that the generation is not complete, and waits.
      await new Promise((next) => setTimeout(next, 300));
    });
    await clearing;
    const found = (await schemasOf(database, layout)).find(({ name }) => name === schema);
    await database.alone(`DROP SCHEMA "${schema}" CASCADE`);
    await database.close();
    expect(found).toMatchObject({ complete: true });
  });
});
