/**
 * `nigh push`, killed at random moments of the clock: whoever reads sees one generation whole, the old one until the switch, and the next push
 * switches and clears what the dead one left. PGlite over its socket; where NIGH_TEST_PG names a database, the same against that one, in which
 * schemas of the collection killed-pushes are made and dropped. One kill a test, so that their number is that of the tests.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../src/postgres/database.js';
import { openPushed } from '../../src/postgres/open-pushed.js';
import { pushCollection } from '../../src/postgres/push-collection.js';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import type { Retriever } from '../../src/retrieval/retriever.js';
import { RunningNigh, requireBuild } from '../cli/nigh-command.js';
import { seeded } from '../embeddings/support.js';
import { itemIds, smallRecipe, writeSmallWorld } from '../retrieval/support/small-world.js';
import { type PgliteServer, startPglite } from './support/pglite-server.js';

/** Not that of push.test.ts, which may run beside it over the same database. */
const name = 'killed-pushes';
const live = `nigh_${name}`;
const rounds = Array.from({ length: 20 }, (_, round) => round);

function killedPushes(urlOf: () => string, seed: number): void {
  const random = seeded(seed);
  let directory: string;
  let world: string;
  let database: Database;
  /** What reads all the while, opened before the push that is killed. */
  let reader: Retriever;
  let wholeMs: number;
  /** From the first table that is loaded to the end. */
  let loadingMs: number;
  const died = { early: 0, inTheMiddle: 0, late: 0 };

  const column = async (sql: string) => (await database.read(sql)).map(([value]) => value);
  const schemas = () => column(`SELECT nspname FROM pg_namespace WHERE starts_with(nspname, '${live}') ORDER BY 1`);
  const clear = async () => {
    for (const schema of await schemas()) await database.alone(`DROP SCHEMA "${schema}" CASCADE`);
  };
  /** The generation that the views show; all of them the same one, and all of it. */
  const shown = async () => {
    const [row] = await database.read(
      `SELECT generation, complete, (SELECT count(*) FROM "${live}".items), (SELECT count(*) FROM "${live}".similar_cf) FROM "${live}".generation`,
    );
    expect(row?.slice(1)).toEqual(['t', String(itemIds.length), String(itemIds.length - 2)]);
    return row?.[0];
  };
  const build = (round: number) =>
    buildCollection(smallRecipe(directory, { name, description: `Round ${round}` }), world);
  const push = () => new RunningNigh(['push', world, '--to', urlOf(), '--json']);
  /** A server may take a moment to notice that the one before is dead, and to let its lock go. */
  const pushed = async (): Promise<{ readonly generation: string }> => {
    for (const until = performance.now() + 10_000; ; ) {
      const { status, stdout, stderr } = await push().finished;
      if (status === 0) return JSON.parse(stdout) as { generation: string };
      if (!stderr.includes('LOCKED') || performance.now() > until) throw new Error(stderr);
    }
  };

  beforeAll(async () => {
    requireBuild();
    database = await Database.open(urlOf(), { connections: 1 });
    await clear();
    directory = await mkdtemp(join(tmpdir(), 'nigh-push-kills-'));
    world = join(directory, 'world');
    await writeSmallWorld(directory);
    await build(-2);
    await pushCollection(world, { to: urlOf() });
    await build(-1);
    const undisturbed = push();
    const began = performance.now();
    await undisturbed.says(/loading items/);
    const loading = performance.now();
    expect((await undisturbed.finished).status).toBe(0);
    wholeMs = performance.now() - began;
    loadingMs = performance.now() - loading;
    reader = await openPushed(`${urlOf()}?collection=${name}`);
  });
  afterAll(async () => {
    await reader?.close();
    await clear();
    await database?.close();
    await rm(directory, { recursive: true, force: true });
  });

  test.each(rounds)(
    'leaves one generation whole in front of everybody, and the next push clears the rest (%i)',
    async (round) => {
      const { generation: before } = reader.info;
      const expected = await reader.similarItems('river-1', { k: 5, exact: true });
      const { info } = await build(round);
      const coming = info.generation;
      const dying = push();
      let isOver = false;
      const reading = (async () => {
        for (; !isOver; await new Promise((next) => setTimeout(next, 20))) {
          expect([before, coming]).toContain(await shown());
          expect((await reader.similarItems('river-1', { k: 5, exact: true })).results).toEqual(expected.results);
        }
      })();
      // Most die while they load, which is the shorter part of a push so small.
      if (round % 4 !== 0) await dying.says(/loading items/);
      const timer = setTimeout(() => dying.child.kill('SIGKILL'), random() * (round % 4 === 0 ? wholeMs : loadingMs));
      await dying.finished;
      clearTimeout(timer);
      isOver = true;
      await reading;

      const after = await shown();
      const left = await schemas();
      if (dying.child.signalCode === 'SIGKILL') {
        died[
          after === coming ? 'late' : left.includes(`${live}_${coming.replace('-', '_')}`) ? 'inTheMiddle' : 'early'
        ]++;
      } else expect(after).toBe(coming);

      await pushed();
      expect(await shown()).toBe(coming);
      const kept = (await schemas()).filter((name) => name !== live);
      expect(kept).toEqual([before, coming].map((name) => `${live}_${name.replace('-', '_')}`));
      const reopened = await reader.reopen();
      await reader.close();
      reader = reopened;
      expect(reader.info).toMatchObject({ generation: coming, description: `Round ${round}` });
      expect(await reader.similarItems('river-1', { k: 5, exact: true })).toMatchObject({
        results: expected.results.map(({ id }) => ({ id })),
      });
    },
  );

  test('died at moments of every kind', () => {
    console.log(
      `${died.early} before anything was loaded, ${died.inTheMiddle} in the middle, ${died.late} after the switch`,
    );
    expect(died.early + died.inTheMiddle + died.late).toBeGreaterThan(rounds.length / 2);
    expect(died.inTheMiddle).toBeGreaterThan(2);
  });
}

describe('nigh push into PGlite, killed at a random moment', () => {
  let server: PgliteServer;
  beforeAll(async () => {
    server = await startPglite();
  });
  afterAll(() => server?.close());
  killedPushes(() => server.url, 31);
});

const given = process.env.NIGH_TEST_PG;
describe.skipIf(given === undefined)('nigh push into the PostgreSQL of NIGH_TEST_PG, killed at a random moment', () => {
  killedPushes(() => given!, 47);
});
