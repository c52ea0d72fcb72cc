import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import type { NeighborRow } from '../../src/retrieval/neighbors/block.js';
import type { NeighborsOptions } from '../../src/retrieval/neighbors/options.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { cosine, dot, meets, type RandomWorld, randomWorld } from './support/random-world.js';
import { itemIds, likes, smallRecipe, writeSmallWorld } from './support/small-world.js';

let directory: string;
let world: Retriever;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-neighbors-'));
  await writeSmallWorld(directory);
  await buildCollection(smallRecipe(directory), join(directory, 'world'));
  world = await Retriever.open(join(directory, 'world'));
});

afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

async function rowsOf(retriever: Retriever, options: NeighborsOptions): Promise<NeighborRow[]> {
  const rows: NeighborRow[] = [];
  for await (const row of retriever.neighbors(options).each()) rows.push(row);
  return rows;
}

const byBytes = (ids: Iterable<string>) => [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** The row as single questions answer it. */
async function single(retriever: Retriever, id: string, { of, ...options }: NeighborsOptions): Promise<NeighborRow> {
  try {
    const { results, stats } = await (of === 'users'
      ? retriever.recommend(id, options)
      : retriever.similarItems(id, options));
    return {
      id,
      space: stats.space,
      neighbors: results.map((one) => one.id),
      scores: results.map(({ score }) => score),
    };
  } catch (error) {
    expect(error).toMatchObject({ code: 'NO_VECTOR' });
    return { id, space: '', neighbors: [], scores: [] };
  }
}

describe('a pass over everybody', () => {
  it('gives every row that single questions give, in the order of the ids, whatever is asked', async () => {
    const of = fc.constantFrom('items' as const, 'users' as const);
    const where = fc.constantFrom(undefined, 'year < 1960', { genres: 'opera' }, 'year = 1800');
    const questions = fc.record(
      {
        k: fc.integer({ min: 1, max: 150 }),
        space: fc.constantFrom('cf', 'text'),
        where,
        minScore: fc.double({ min: -0.5, max: 0.9, noNaN: true }),
        allow: fc.shuffledSubarray(itemIds, { minLength: 1 }),
        deny: fc.shuffledSubarray(itemIds),
        fallback: fc.boolean(),
        // These are no single search.
        diversity: fc.constantFrom(0, 0.4),
        weights: fc.constantFrom(undefined, { cf: 1, text: 2 }),
        fusion: fc.constantFrom('sum' as const, 'rrf' as const),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(of, questions, fc.boolean(), async (who, given, excludeSeen) => {
        // Weights of spaces are of several; a single space is named without them.
        const { weights, space, ...rest } = given;
        const options: NeighborsOptions = {
          ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
          ...(weights === undefined ? (space === undefined ? {} : { space }) : { weights }),
          k: given.k ?? 10,
          of: who,
          exact: true,
          ...(who === 'users' ? { excludeSeen } : {}),
        };
        const ids = byBytes(who === 'items' ? itemIds : likes.keys());
        const rows = await rowsOf(world, options);
        expect(rows.map(({ id }) => id)).toEqual(ids);
        for (const id of fc.sample(fc.constantFrom(...ids), { numRuns: 6, seed: ids.length })) {
          expect(rows[ids.indexOf(id)]).toEqual(await single(world, id, options));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is exact where that is asked for: compared with every item by hand', { timeout: 60_000 }, async () => {
    for (const [seed, engine] of [
      [1, 'flat'],
      [2, 'hnsw'],
      [3, 'hnswlib'],
    ] as const) {
      const folder = await mkdtemp(join(directory, 'random-'));
      const random = await randomWorld(folder, seed, engine);
      await using retriever = await Retriever.open(random.directory);
      const where = { year: { gte: 1990 } };
      for (const row of await rowsOf(retriever, { k: 7, space: 'look', exact: true, where })) {
        expectBest(row, likeItem(random, row.id), random, (item) => item.id !== row.id && meets(item, where), 7);
      }
      for (const row of await rowsOf(retriever, { of: 'users', k: 9, space: 'taste', exact: true })) {
        const vector = random.userVectors.get(row.id)!;
        const has = random.users.get(row.id)!;
        const score = ({ taste }: Vectors) => (taste === undefined ? undefined : dot(vector, taste));
        expectBest(row, score, random, ({ id }) => !has.includes(id), 9);
      }
    }
  });

  it('finds nearly all of it through the graphs', async () => {
    for (const of of ['items', 'users'] as const) {
      const options = { of, k: 10, space: 'cf' };
      const exact = await rowsOf(world, { ...options, exact: true });
      const found = await rowsOf(world, options);
      const shares = exact.map(({ neighbors }, r) => {
        const hits = neighbors.filter((id) => found[r]!.neighbors.includes(id)).length;
        return neighbors.length === 0 ? 1 : hits / neighbors.length;
      });
      expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeGreaterThan(0.95);
      expect(found.map(({ neighbors }) => neighbors.length)).toEqual(exact.map(({ neighbors }) => neighbors.length));
    }
  });

  it('comes in shards that are the whole when put together', async () => {
    const whole = await rowsOf(world, { k: 3 });
    for (const of of [1, 3, 7, itemIds.length, itemIds.length + 5]) {
      const parts: NeighborRow[] = [];
      for (let number = 1; number <= of; number++)
        parts.push(...(await rowsOf(world, { k: 3, shard: { number, of } })));
      expect(parts).toEqual(whole);
    }
  });

  it('is the same on one thread and on several', async () => {
    const options = { of: 'users' as const, k: 12 };
    expect(await rowsOf(world, { ...options, threads: 1 })).toEqual(await rowsOf(world, { ...options, threads: 3 }));
  });

  it('leaves out what a stoplist hides, and the pass that follows knows it', async () => {
    const before = world.neighbors().fingerprint;
    world.hide('recall', ['river-1']);
    try {
      expect((await rowsOf(world, { k: 200 })).some(({ neighbors }) => neighbors.includes('river-1'))).toBe(false);
      expect(world.neighbors().fingerprint).not.toBe(before);
    } finally {
      world.hide('recall', []);
    }
    expect(world.neighbors().fingerprint).toBe(before);
  });

  it('goes through a stream of Node, which sets the pace', async () => {
    const ids: string[] = [];
    for await (const row of Readable.from(world.neighbors({ k: 2 }).each(), { highWaterMark: 1 })) {
      ids.push((row as NeighborRow).id);
    }
    expect(ids).toEqual(byBytes(itemIds));
  });
});

describe('a pass that is left, stopped or asked wrongly', () => {
  // A large k makes small blocks, so that there are several.
  const several = { k: 10_000, where: 'year < 1952' };

  it('stops its work when it is left, and closing the collection waits for what is under way', async () => {
    const retriever = await Retriever.open(join(directory, 'world'));
    const pass = retriever.neighbors(several);
    expect(pass.rows).toBeGreaterThan(pass.blockRows);
    for await (const block of pass) {
      expect(block.size).toBe(pass.blockRows);
      break;
    }
    const iterator = retriever.neighbors(several)[Symbol.asyncIterator]();
    await iterator.next();
    await retriever.close();
    // What was searched ahead is given; then it ends for want of a collection.
    await expect(drain(iterator)).resolves.toBeUndefined();
    expect(() => retriever.neighbors()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('can be begun at any block', async () => {
    const pass = world.neighbors(several);
    const whole = await rowsOf(world, several);
    const rest: NeighborRow[] = [];
    for await (const block of pass.from(pass.blockRows)) rest.push(...block);
    expect(rest).toEqual(whole.slice(pass.blockRows));
    await expect(pass.from(1).next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('ends with ABORTED where its signal fires', async () => {
    const stop = new AbortController();
    const iterator = world.neighbors({ ...several, signal: stop.signal })[Symbol.asyncIterator]();
    await iterator.next();
    stop.abort();
    await expect(drain(iterator)).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(drain(world.neighbors({ signal: stop.signal })[Symbol.asyncIterator]())).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it('says at once what is wrong with its options', () => {
    const wrong: [code: string, options: object][] = [
      ['UNKNOWN_OPTION', { kk: 3 }],
      ['INVALID_ARGUMENT', { k: 0 }],
      ['INVALID_ARGUMENT', { of: 'titles' }],
      ['INVALID_ARGUMENT', { explain: true }],
      ['INVALID_ARGUMENT', { threads: -1 }],
      ['INVALID_ARGUMENT', { shard: { number: 3, of: 2 } }],
      ['INVALID_ARGUMENT', { shard: 3 }],
      ['UNKNOWN_OPTION', { shard: { number: 1, of: 2, size: 3 } }],
      ['UNKNOWN_SPACE', { space: 'looks' }],
      ['UNKNOWN_OPTION', { where: 'yeer > 3' }],
      // An item has no past.
      ['UNKNOWN_OPTION', { of: 'items', excludeSeen: false }],
    ];
    for (const [code, options] of wrong) {
      expect(() => world.neighbors(options as NeighborsOptions), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code }),
      );
    }
  });
});

async function drain(iterator: AsyncGenerator<unknown, void>): Promise<void> {
  for (;;) if ((await iterator.next()).done === true) return;
}

type Vectors = RandomWorld['items'][number]['vectors'];

function likeItem({ items }: RandomWorld, id: string): (vectors: Vectors) => number | undefined {
  const own = items.find((item) => item.id === id)!.vectors.look;
  return ({ look }) => (own === undefined || look === undefined ? undefined : cosine(own, look));
}

/** The row is the best of what may be returned, up to rounding. */
function expectBest(
  row: NeighborRow,
  score: (vectors: Vectors) => number | undefined,
  { items }: RandomWorld,
  may: (item: RandomWorld['items'][number]) => boolean,
  k: number,
): void {
  const scores = new Map(
    items.filter(may).flatMap((item) => {
      const own = score(item.vectors);
      return own === undefined ? [] : [[item.id, own] as const];
    }),
  );
  const best = [...scores.values()].sort((a, b) => b - a).slice(0, k);
  expect(row.neighbors).toHaveLength(best.length);
  row.neighbors.forEach((id, at) => {
    expect(scores.get(id)).toBeCloseTo(best[at]!, 4);
    expect(row.scores[at]).toBeCloseTo(best[at]!, 4);
  });
}
