/** The map of a space with its links, and what effort buys. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Efforts, SpaceMap } from '../../src/retrieval/types.js';
import { buildApp } from '../../src/service/index.js';
import { type SmallCollections, smallCollections } from './small-collections.js';

let collections: SmallCollections;
let app: Awaited<ReturnType<typeof buildApp>>;

beforeAll(async () => {
  collections = await smallCollections();
  app = await buildApp({ collections: [collections.films] });
});
afterAll(async () => {
  await app?.close();
  await collections?.[Symbol.asyncDispose]();
});

const space = (rest: string) => `/v1/collections/films/spaces/text/${rest}`;

test('the map tells which points are near to each other, as a search of everything does', async () => {
  const plain = (await app.inject(space('map?item=harbour-0'))).json<SpaceMap>();
  expect(plain.links).toBeUndefined();
  const {
    points,
    item,
    neighbours,
    links = [],
  } = (await app.inject(space('map?item=harbour-0&links=true'))).json<SpaceMap>();
  const all = [...points, item!, ...neighbours];
  const { results } = await collections.films.similarItems('harbour-0', { space: 'text', k: 12 });
  expect(neighbours.map(({ id, score }) => ({ id, score }))).toEqual(results.map(({ id, score }) => ({ id, score })));
  const linked = new Set(links.map(([a, b]) => `${Math.min(a, b)} ${Math.max(a, b)}`));
  expect(linked.size).toBe(new Set([...linked]).size);
  // The item and every neighbour.
  for (let n = 0; n < neighbours.length; n++) expect(linked).toContain(`${points.length} ${points.length + 1 + n}`);
  // The small collection is its own sample: the nearest of a point are linked with it.
  const places = new Map(points.map(({ id }, at) => [id, at]));
  for (const id of ['river-3', 'canyon-7', 'a/b']) {
    const near = await collections.films.similarItems(id, { space: 'text', k: 200, exact: true });
    const closest = near.results[0]!.score;
    const own = places.get(id)!;
    const linkedScores = links
      .filter((link) => link.includes(own))
      .map(([a, b]) => all[a === own ? b : a]!.id)
      .flatMap((other) => near.results.find((result) => result.id === other)?.score ?? []);
    expect(Math.max(...linkedScores)).toBeCloseTo(closest, 5);
  }
  for (const [a, b] of links) {
    expect(a).not.toBe(b);
    expect(all[a]).toBeDefined();
    expect(all[b]).toBeDefined();
  }
});

test('recall rises with the effort to that of an exact search, and is measured once', async () => {
  const first = await app.inject(space('efforts'));
  expect(first.statusCode).toBe(200);
  const { efforts, queries, k, exactMicros } = first.json<Efforts>();
  expect(k).toBe(10);
  expect(queries).toBe(100);
  expect(exactMicros).toBeGreaterThan(0);
  expect(efforts.map(({ efSearch }) => efSearch)).toEqual([10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]);
  expect(efforts.at(-1)?.recall).toBeCloseTo(1, 5);
  for (const { recall, micros, visited } of efforts) {
    expect(recall).toBeGreaterThan(0.3);
    expect(recall).toBeLessThanOrEqual(1);
    expect(micros).toBeGreaterThan(0);
    expect(visited).toBeGreaterThan(10);
  }
  expect((await app.inject(space('efforts'))).json()).toEqual(first.json());
  expect((await app.inject('/v1/collections/films/spaces/none/efforts')).json()).toMatchObject({
    code: 'UNKNOWN_SPACE',
  });
});
