import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorKinds } from '../../src/core/errors.js';
import type { Answer, Item, QueryOptions, SimilarUsersAnswer, SpaceMap } from '../../src/retrieval/types.js';
import { buildApp } from '../../src/service/index.js';
import { oddIds, type SmallCollections, smallCollections } from './small-collections.js';

let collections: SmallCollections;
let app: Awaited<ReturnType<typeof buildApp>>;

beforeAll(async () => {
  collections = await smallCollections();
  app = await buildApp({ collections: [collections.films, collections.signs] });
});
afterAll(async () => {
  await app?.close();
  await collections?.[Symbol.asyncDispose]();
});

async function get<T>(path: string): Promise<T> {
  const response = await app.inject(`/v1/collections${path}`);
  expect(response.statusCode, response.body).toBe(200);
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
  return response.json();
}

async function query<T = Answer>(body: object, collection = 'films'): Promise<T> {
  const response = await app.inject({ method: 'POST', url: `/v1/collections/${collection}/query`, payload: body });
  expect(response.statusCode, response.body).toBe(200);
  return response.json();
}

/** An answer without what differs from one search to the next. */
function comparable({ results, stats }: Answer) {
  return { results, stats: { ...stats, stages: Object.keys(stats.stages), tookMs: 0 } };
}

const ids = ({ results }: Answer) => results.map(({ id }) => id);
const ofTheme = (answer: Answer, theme: string) =>
  answer.results.every(({ attributes }) => Array.isArray(attributes.genres) && attributes.genres[0] === theme);

describe('GET /v1/collections', () => {
  test('lists what is served, in order, complete', async () => {
    const { films, signs } = collections;
    expect(await get('')).toEqual({ collections: [films.info, signs.info] });
  });

  test('one collection is what the library says of it', async () => {
    expect(await get('/films')).toEqual(collections.films.info);
    expect(await get('/signs')).toEqual(collections.signs.info);
  });
});

describe('GET …/items', () => {
  test('finds by the start of a title and by words, as the library does', async () => {
    for (const words of ['harbour song', 'SONG', 'keeper 4', 'nothing at all']) {
      const { items } = await get<{ items: Item[] }>(`/films/items?query=${encodeURIComponent(words)}&limit=7`);
      expect(items).toEqual(collections.films.findItems(words, { limit: 7 }));
    }
    const { items } = await get<{ items: Item[] }>('/films/items?query=desert');
    expect(items).toHaveLength(20);
    expect(items.every(({ title }) => title.startsWith('desert'))).toBe(true);
  });

  test('without a query the most used come first', async () => {
    const { items } = await get<{ items: Item[] }>('/films/items?limit=100');
    const counts = items.map(({ interactions }) => interactions);
    expect(items).toHaveLength(100);
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  });

  test('one item with everything that is known of it', async () => {
    expect(await get('/films/items/harbour-3')).toEqual(collections.films.item('harbour-3'));
    expect(await get<Item>('/signs/items/desert-3')).toMatchObject({
      id: 'desert-3',
      title: 'desert sign 3',
      attributes: { emoji: '🌵', tags: ['desert', 'deserts'] },
      interactions: 0,
      spaces: ['text'],
    });
  });

  test.each(oddIds)('the id %j in a path', async (id) => {
    const encoded = encodeURIComponent(id);
    expect((await get<Item>(`/films/items/${encoded}`)).id).toBe(id);
    const answer = await get<Answer>(`/films/items/${encoded}/similar?k=5&space=cf`);
    expect(answer.results).toHaveLength(5);
    expect(ids(answer)).not.toContain(id);
    expect(ofTheme(answer, 'river')).toBe(true);
  });
});

describe('GET …/similar', () => {
  test('is the library’s answer, whole', async () => {
    for (const options of [
      {},
      { k: 3 },
      { k: 40, space: 'text' },
      { exact: true, space: 'cf' },
      { efSearch: 200, k: 7 },
    ]) {
      const parameters = new URLSearchParams(Object.entries(options).map(([name, value]) => [name, String(value)]));
      const served = await get<Answer>(`/films/items/glacier-5/similar?${parameters}`);
      expect(comparable(served)).toEqual(comparable(await collections.films.similarItems('glacier-5', options)));
      expect(served.stats.tookMs).toBeGreaterThanOrEqual(0);
    }
  });

  test('what the same people saw is near', async () => {
    const answer = await get<Answer>('/films/items/canyon-2/similar?space=cf&k=20');
    expect(answer.results).toHaveLength(20);
    expect(ofTheme(answer, 'canyon')).toBe(true);
    // Whether so small a collection is scanned is the search's own choice.
    expect(answer.stats).toMatchObject({ space: 'cf', generation: collections.films.info.generation });
  });

  test('exact says so, and compares every item', async () => {
    const { stats } = await get<Answer>('/films/items/canyon-2/similar?exact=true&space=text');
    expect(stats).toMatchObject({ exact: true, space: 'text' });
    expect(stats.distances).toBeGreaterThanOrEqual(collections.films.info.items - 1);
  });

  test('k above the collection gives every other item', async () => {
    const { results } = await get<Answer>('/signs/items/river-0/similar?k=10000');
    expect(results).toHaveLength(collections.signs.info.items - 1);
  });

  test.each([
    ['/films/items/nothing/similar', 'UNKNOWN_ITEM', 404],
    ['/films/items/canyon-2/similar?space=cfs', 'UNKNOWN_SPACE', 404],
    ['/films/users/nobody/recommendations', 'UNKNOWN_USER', 404],
  ] as const)('%s is %s', async (path, code, status) => {
    const response = await app.inject(`/v1/collections${path}`);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code, status, title: errorKinds[code].meaning });
  });
});

describe('GET …/recommendations', () => {
  test('is the library’s answer, of the user’s theme, without what was seen', async () => {
    const served = await get<Answer>('/films/users/u-3-2/recommendations?k=7');
    expect(comparable(served)).toEqual(comparable(await collections.films.recommend('u-3-2', { k: 7 })));
    expect(ofTheme(served, 'glacier')).toBe(true);
    const unseen = ids(served).every((id) => (Number(id.split('-')[1]) + 2) % 4 === 0);
    expect(unseen).toBe(true);
  });

  test('excludeSeen=false lets what was seen come back', async () => {
    const served = await get<Answer>('/films/users/u-3-2/recommendations?k=30&excludeSeen=false');
    expect(ids(served).some((id) => id.startsWith('glacier') && (Number(id.split('-')[1]) + 2) % 4 !== 0)).toBe(true);
  });

  test('somebody of whom nothing is known gets the library’s list, where that is asked for', async () => {
    const expected = comparable(await collections.films.recommendFor([], { k: 4 }));
    expect(expected.stats.fallback).toBeDefined();
    expect(comparable(await get('/films/users/nobody/recommendations?k=4&fallback=true'))).toEqual(expected);
    expect(comparable(await query({ history: [], k: 4 }))).toEqual(expected);
  });

  test('a user id with a slash and a blank', async () => {
    const served = await get<Answer>(`/films/users/${encodeURIComponent('somebody/with a slash')}/recommendations?k=3`);
    expect(served.results).toHaveLength(3);
  });
});

describe('filters, blends and re-ranking by path', () => {
  test.each<[string, QueryOptions]>([
    ['where=year >= 1990 and not genres has "song"&k=40', { where: 'year >= 1990 and not genres has "song"', k: 40 }],
    ['weights=cf=0.7,text=0.3&fusion=rrf', { weights: { cf: 0.7, text: 0.3 }, fusion: 'rrf' }],
    ['diversity=0.4&popularity=-0.2&minScore=-1', { diversity: 0.4, popularity: -0.2, minScore: -1 }],
    ['explain=true&where=year < 1985', { explain: true, where: { year: { lt: 1985 } } }],
    ['recall=0.9&fallback=true&space=text', { recall: 0.9, fallback: true, space: 'text' }],
  ])('%s is the library’s answer, whole', async (parameters, options) => {
    const search = new URLSearchParams(parameters.split('&').map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
    const served = await get<Answer>(`/films/items/glacier-5/similar?${search}`);
    const expected = await collections.films.similarItems('glacier-5', options);
    expect(comparable(served)).toEqual(comparable(expected));
    expect(served.explanation).toEqual(expected.explanation);
    const forUser = await get<Answer>(`/films/users/u-3-2/recommendations?${search}`);
    expect(comparable(forUser)).toEqual(comparable(await collections.films.recommend('u-3-2', options)));
  });

  test.each([
    [
      'where=yaer > 3',
      400,
      'UNKNOWN_OPTION',
      'where: character 1: the items have no attribute "yaer". Did you mean "year"?',
    ],
    ['where=year >', 400, 'INVALID_ARGUMENT', 'where: character 7: expected a number'],
    ['weights=cf', 400, 'INVALID_ARGUMENT', 'weights: expected name=number'],
    ['weights=cff=1', 404, 'UNKNOWN_SPACE', 'Did you mean "cf"?'],
    ['diversity=2', 400, 'INVALID_ARGUMENT', 'diversity: expected a number from 0 to 1'],
    ['fusion=max', 400, 'INVALID_ARGUMENT', 'fusion: expected one of "sum", "rrf"'],
  ])('%s is refused', async (parameters, status, code, detail) => {
    const search = new URLSearchParams([parameters.split(/=(.*)/s).slice(0, 2) as [string, string]]);
    const response = await app.inject(`/v1/collections/films/items/glacier-5/similar?${search}`);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code, detail: expect.stringContaining(detail) });
  });

  test('users like a user', async () => {
    const { results, stats } = await get<SimilarUsersAnswer>('/films/users/u-3-2/similar?k=5');
    expect(results).toEqual((await collections.films.similarUsers('u-3-2', { k: 5 })).results);
    expect(results.every(({ id }) => id.startsWith('u-3-'))).toBe(true);
    expect(stats).toMatchObject({ space: 'cf', exact: true });
  });
});

describe('POST …/query', () => {
  test('by text, vector and several parts, with every option', async () => {
    const { films } = collections;
    const question = {
      user: 'u-1-1',
      text: 'desert story',
      k: 12,
      weights: { cf: 0.6, text: 0.4 },
      quotas: { text: 0.25 },
      missing: 'renormalise',
      where: { or: [{ year: { gte: 1985 } }, { genres: 'song' }] },
      allow: films.findItems('', { limit: 150 }).map(({ id }) => id),
      deny: ['desert-1'],
      diversity: 0.2,
      perGroup: { attribute: 'year', most: 2 },
      boosts: [{ where: 'genres has "keeper"', by: 0.2 }],
      recency: { attribute: 'year', halfLife: 5, weight: 0.1 },
      explore: { slots: 1, seed: 3 },
      candidates: 80,
      explain: true,
      taste: { dislikes: 1 },
    } as const;
    const served = await query(question);
    const expected = await films.query(question);
    expect(comparable(served)).toEqual(comparable(expected));
    expect(served.explanation).toEqual(expected.explanation);
    expect(served.results).toHaveLength(12);
    const vector = Array.from({ length: 16 }, (_, d) => (d === 0 ? 1 : 0.01));
    expect(comparable(await query({ vector, space: 'text', k: 3 }))).toEqual(
      comparable(await films.query({ vector, space: 'text', k: 3 })),
    );
    const disliked = { history: [{ item: 'meadow-1' }, { item: 'river-2', weight: -2, timestamp: 5 }], space: 'text' };
    expect(comparable(await query(disliked))).toEqual(comparable(await films.query(disliked)));
  });

  test('a picture is read from base64', async () => {
    const post = (payload: object) => app.inject({ method: 'POST', url: '/v1/collections/films/query', payload });
    const strange = await post({ image: 'no base64!' });
    expect(strange.statusCode).toBe(400);
    expect(strange.json().detail).toContain('image: expected a picture in base64');
    // No space of these films reads pictures.
    expect((await post({ image: 'aGVsbG8=' })).json()).toMatchObject({ code: 'NO_VECTOR' });
  });

  test('by item, user and history: the library’s answers', async () => {
    const { films } = collections;
    expect(comparable(await query({ item: 'desert-1', k: 4, space: 'text' }))).toEqual(
      comparable(await films.similarItems('desert-1', { k: 4, space: 'text' })),
    );
    expect(comparable(await query({ user: 'u-1-1', excludeSeen: false }))).toEqual(
      comparable(await films.recommend('u-1-1', { excludeSeen: false })),
    );
    const history = [{ item: 'meadow-1' }, { item: 'a/b', weight: 0.5 }];
    const served = await query({ history, k: 15, exact: true });
    expect(comparable(served)).toEqual(comparable(await films.recommendFor(history, { k: 15, exact: true })));
    expect(ids(served)).not.toContain('meadow-1');
  });

  test('a newcomer’s picks recommend their theme', async () => {
    const answer = await query({
      history: [{ item: 'harbour-1' }, { item: 'harbour-2' }, { item: 'harbour-3' }],
      k: 8,
    });
    expect(answer.results).toHaveLength(8);
    expect(ofTheme(answer, 'harbour')).toBe(true);
  });

  test('what is denied does not come back, and others fill its place', async () => {
    const first = await query({ item: 'desert-1', k: 5 });
    const deny = ids(first).slice(0, 3);
    const second = await query({ item: 'desert-1', k: 5, deny });
    expect(second.results).toHaveLength(5);
    expect(ids(second).filter((id) => deny.includes(id))).toEqual([]);
    expect(ids(second).slice(0, 2)).toEqual(ids(first).slice(3));
  });

  test('many questions are answered in order; one that fails takes no other with it', async () => {
    const { answers } = await query<{ answers: (Answer & { problem?: unknown })[] }>({
      queries: [{ item: 'desert-1', k: 2 }, { item: 'nothing' }, { history: [{ item: 'river-2' }], k: 3 }, {}],
    });
    expect(answers).toHaveLength(4);
    expect(answers[0]?.results).toHaveLength(2);
    expect(answers[1]).toEqual({ problem: expect.objectContaining({ code: 'UNKNOWN_ITEM', status: 404 }) });
    expect(answers[2]?.results).toHaveLength(3);
    expect(answers[3]).toEqual({ problem: expect.objectContaining({ code: 'INVALID_ARGUMENT' }) });
  });

  test('256 questions at once', async () => {
    const queries = Array.from({ length: 256 }, (_, n) => ({ item: `canyon-${n % 30}`, k: 3 }));
    const { answers } = await query<{ answers: Answer[] }>({ queries });
    expect(answers).toHaveLength(256);
    expect(answers.every(({ results }) => results.length === 3)).toBe(true);
  });

  test('a collection without users recommends from picks by nearness', async () => {
    const answer = await query({ history: [{ item: 'desert-1' }, { item: 'desert-2' }], k: 4 }, 'signs');
    expect(ids(answer).every((id) => id.startsWith('desert'))).toBe(true);
  });
});

describe('ETag', () => {
  const url = '/v1/collections/films/items/canyon-2/similar?k=3';

  test('a read that the caller has is 304, without a body', async () => {
    const first = await app.inject(url);
    const etag = String(first.headers.etag);
    expect(etag).toMatch(/^W\/"[\w-]+"$/);
    expect(first.headers['cache-control']).toBe('private, no-cache');
    const again = await app.inject({ url, headers: { 'if-none-match': `"other", ${etag}` } });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
    expect(again.headers.etag).toBe(etag);
    expect((await app.inject(url)).headers.etag).toBe(etag);
  });

  test('another question, another tag', async () => {
    const { headers } = await app.inject(url);
    const other = await app.inject({
      url: url.replace('k=3', 'k=4'),
      headers: { 'if-none-match': String(headers.etag) },
    });
    expect(other.statusCode).toBe(200);
    expect(other.headers.etag).not.toBe(headers.etag);
  });

  test('another stoplist, another tag, and the item is gone', async () => {
    const { headers } = await app.inject(url);
    const [first = ''] = ids(await get<Answer>(url.replace('/v1/collections', '')));
    collections.films.hide('recalled', [first]);
    const other = await app.inject({ url, headers: { 'if-none-match': String(headers.etag) } });
    expect(other.statusCode).toBe(200);
    expect(ids(other.json())).not.toContain(first);
    collections.films.hide('recalled', []);
  });

  test('another build, another tag', async () => {
    await using rebuilt = await smallCollections();
    const second = await buildApp({ collections: [rebuilt.films] });
    const { headers } = await app.inject(url);
    const other = await second.inject({ url, headers: { 'if-none-match': String(headers.etag) } });
    expect(other.statusCode).toBe(200);
    await second.close();
  });

  test('a question by POST has none', async () => {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/collections/films/query',
      payload: { item: 'canyon-2' },
    });
    expect(response.headers.etag).toBeUndefined();
  });
});

test('HEAD is GET without the body', async () => {
  const url = '/v1/collections/films/items/canyon-2';
  const [head, whole] = await Promise.all([app.inject({ method: 'HEAD', url }), app.inject(url)]);
  expect(head.statusCode).toBe(200);
  expect(head.body).toBe('');
  expect(head.headers['content-length']).toBe(whole.headers['content-length']);
});

test('health and readiness', async () => {
  expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
  expect((await app.inject('/readyz')).json()).toEqual({ status: 'ready' });
});

test('a collection that was closed is 503, and the others go on', async () => {
  const own = await smallCollections();
  const second = await buildApp({ collections: [own.films, own.signs] });
  await own.films.close();
  const closed = await second.inject('/v1/collections/films/items/canyon-2');
  expect(closed.statusCode).toBe(503);
  expect(closed.json()).toMatchObject({ code: 'CLOSED' });
  expect((await second.inject('/v1/collections/signs/items/canyon-2')).statusCode).toBe(200);
  await second.close();
  await own[Symbol.asyncDispose]();
});

describe('whatever is asked', () => {
  const names = [
    'item',
    'user',
    'history',
    'queries',
    'k',
    'space',
    'exact',
    'efSearch',
    'deny',
    'excludeSeen',
    'weight',
    'weights',
    'where',
    'diversity',
    'vector',
    'text',
    'image',
    'perGroup',
    'explain',
    'minScore',
  ];
  const plausible = fc.constantFrom<unknown>(
    'river-1',
    'u-0-1',
    'cf',
    'text',
    1,
    3,
    0,
    -1,
    1e9,
    0.5,
    true,
    null,
    '',
    [],
  );
  const body = fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof(
      plausible,
      fc.jsonValue({ maxDepth: 2 }),
      fc.array(fc.dictionary(fc.constantFrom('item', 'weight', 'k', 'history'), plausible), { maxLength: 4 }),
    ),
    { maxKeys: 4 },
  );

  test('a body is answered or refused, never a fault', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(body, fc.jsonValue()), async (payload) => {
        const response = await app.inject({
          method: 'POST',
          url: '/v1/collections/films/query',
          headers: { 'content-type': 'application/json' },
          payload: JSON.stringify(payload),
        });
        expect(response.statusCode, response.body).toBeLessThan(500);
        if (response.statusCode === 200) return;
        const problem = response.json();
        expect(errorKinds).toHaveProperty(problem.code);
        expect(problem.detail).toMatch(/\S/);
      }),
      { numRuns: 400 },
    );
  });

  test('a query string is answered or refused, never a fault', async () => {
    const value = fc.oneof(
      fc.constantFrom('1', '5', 'true', 'cf', 'text', '', '-1', '1e5', 'NaN'),
      fc.string({ unit: 'grapheme' }),
    );
    const parameters = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string()), value), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        parameters,
        fc.constantFrom('items/river-1/similar', 'users/u-0-1/recommendations', 'items'),
        async (pairs, path) => {
          const response = await app.inject(`/v1/collections/films/${path}?${new URLSearchParams(pairs)}`);
          expect(response.statusCode, response.body).toBeLessThan(500);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('GET …/map', () => {
  test('is the library’s map: kinds that differ lie apart, the nearest of an item near it', async () => {
    const path = '/films/spaces/cf/map?item=harbour-3';
    const map = await get<SpaceMap>(path);
    expect(map).toEqual(await collections.films.mapSpace('cf', 'harbour-3'));
    expect(map.points).toHaveLength(collections.films.info.items);
    expect(map.neighbours).toHaveLength(12);
    expect(map.explained).toBeGreaterThan(0.1);
    const from = ({ x, y }: { x: number; y: number }) => Math.hypot(x - map.item!.x, y - map.item!.y);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(map.neighbours.map(from))).toBeLessThan(mean(map.points.map(from)) / 2);
  });

  test.each([
    ['/films/spaces/cfs/map', 'UNKNOWN_SPACE'],
    ['/films/spaces/cf/map?item=none', 'UNKNOWN_ITEM'],
  ])('%s is %s', async (path, code) => {
    expect((await app.inject(`/v1/collections${path}`)).json()).toMatchObject({ code });
  });
});
