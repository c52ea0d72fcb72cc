import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import { buildApp } from '../../src/service/index.js';
import { collectionDouble } from './collection-double.js';

type App = Awaited<ReturnType<typeof buildApp>>;
const base = '/v1/collections/double';
let app: App;

beforeAll(async () => {
  app = await buildApp({ collections: [collectionDouble()] });
});
afterAll(() => app.close());

async function refused(url: string) {
  const response = await app.inject(url);
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(response.headers['cache-control']).toBe('no-store');
  expect(response.headers.etag).toBeUndefined();
  const problem = response.json();
  expect(problem.status).toBe(response.statusCode);
  expect(problem.instance).toBe(`urn:nigh:request:${response.headers['x-request-id']}`);
  return problem;
}

function post(payload: string | object, headers: Record<string, string> = { 'content-type': 'application/json' }) {
  return app.inject({ method: 'POST', url: `${base}/query`, payload, headers });
}

describe('a refused request is a problem document that says what was expected and what came', () => {
  test.each([
    ['k=0', 'k', 'an integer from 1 to 10000', '0'],
    ['k=10001', 'k', 'an integer from 1 to 10000', '10001'],
    ['k=ten', 'k', 'an integer from 1 to 10000', '"ten"'],
    ['k=1.5', 'k', 'an integer from 1 to 10000', '"1.5"'],
    ['k=', 'k', 'an integer from 1 to 10000', '""'],
    ['k=0x10', 'k', 'an integer from 1 to 10000', '"0x10"'],
    ['k=1e1', 'k', 'an integer from 1 to 10000', '"1e1"'],
    ['k=99999999999999999999', 'k', 'an integer from 1 to 10000', '"99999999999999999999"'],
    ['k=1&k=2', 'k', 'an integer from 1 to 10000', 'an array of 2'],
    ['exact=yes', 'exact', 'true or false', '"yes"'],
    ['efSearch=-3', 'efSearch', 'an integer from 1 to 10000', '-3'],
    ['space=', 'space', 'a string that is not empty', '""'],
  ])('?%s', async (query, parameter, expected, got) => {
    const problem = await refused(`${base}/items/1/similar?${query}`);
    expect(problem).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT', type: 'urn:nigh:error:invalid-argument' });
    expect(problem.detail).toBe(`${parameter}: expected ${expected}, got ${got}.`);
    expect(problem.errors).toEqual([{ in: 'query', parameter, expected, got }]);
  });

  test('every parameter that is wrong is listed', async () => {
    const problem = await refused(`${base}/items/1/similar?k=0&exact=perhaps`);
    expect(problem.errors.map(({ parameter }: { parameter: string }) => parameter).sort()).toEqual(['exact', 'k']);
  });

  test.each([
    [`${base}/items/1/similar?efsearch=5`, 'Did you mean "efSearch"?'],
    [`${base}/items/1/similar?zzzzzzzz=5`, 'Known here: k, space, exact, efSearch, recall, fusion, minScore,'],
    [`${base}/users/1/recommendations?excludeseen=1`, 'Did you mean "excludeSeen"?'],
    [`${base}/items?q=x`, 'Known here: query, limit.'],
    [`${base}?k=3`, 'There is none here.'],
  ])('an unknown query parameter names the nearest: %s', async (url, hint) => {
    const problem = await refused(url);
    expect(problem).toMatchObject({ status: 400, code: 'UNKNOWN_OPTION' });
    expect(problem.detail).toContain(hint);
  });

  test('an unknown collection names the nearest', async () => {
    const problem = await refused('/v1/collections/duoble/items/1');
    expect(problem).toMatchObject({ status: 404, code: 'UNKNOWN_COLLECTION' });
    expect(problem.detail).toContain('Did you mean "double"?');
  });

  test('an unknown item', async () => {
    expect(await refused(`${base}/items/none`)).toMatchObject({ status: 404, code: 'UNKNOWN_ITEM' });
  });

  test.each(['/v2', '/v1', '/v1/', '/explorer', '/explorer/', '/explorer/missing.js', '/docs/static/missing.js'])(
    'an unknown route: %s',
    async (url) => {
      expect(await refused(url)).toMatchObject({ status: 404, code: 'UNKNOWN_ROUTE' });
    },
  );

  test.each(['PATCH', 'POST'] as const)('%s on a read route is an unknown route', async (method) => {
    const response = await app.inject({ method, url: `${base}/items/1` });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: 'UNKNOWN_ROUTE', detail: expect.stringContaining(method) });
  });

  test('a raw slash inside an id says how it is written', async () => {
    expect((await refused(`${base}/items/@scope/name/similar`)).detail).toContain('%2F');
  });

  test('a path that cannot be decoded, and one with a part that is too long', async () => {
    expect(await refused(`${base}/items/%C3%28`)).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT' });
    expect(await refused(`${base}/items/${'a'.repeat(13_000)}`)).toMatchObject({
      status: 414,
      code: 'INVALID_ARGUMENT',
    });
    expect(await refused(`${base}/items/${'a'.repeat(1025)}`)).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT' });
  });
});

describe('a body', () => {
  test.each([
    ['{', 'a JSON object', 400],
    ['', 'a JSON object', 400],
    ['[]', 'a JSON object', 400],
    ['null', 'a JSON object', 400],
    ['"text"', 'a JSON object', 400],
    ['{"__proto__": {"k": 1}, "item": "1"}', 'a JSON object', 400],
    ['{}', 'at least one of item, user, history, vector, text and image', 400],
    ['{"item": "1", "where": 3}', 'a string that is not empty or a JSON object', 400],
    ['{"item": "1", "vector": ["1"]}', 'a number', 400],
    ['{"item": "1", "excludeSeen": true}', 'nothing beside item', 400],
    ['{"item": ""}', 'a string of 1 to 1024 characters', 400],
    ['{"item": 1}', 'a string of 1 to 1024 characters', 400],
    ['{"item": "1", "k": "10"}', 'an integer from 1 to 10000', 400],
    ['{"item": "1", "k": null}', 'an integer from 1 to 10000', 400],
    ['{"history": {}}', 'an array of 0 to 10000 entries', 400],
    ['{"history": [{"item": "1", "weight": 0}]}', 'a number from -1000000 to 1000000 other than 0', 400],
    ['{"history": [{"item": "1", "weight": 1e999}]}', 'a number from -1000000 to 1000000 other than 0', 400],
    ['{"history": ["1"]}', 'a JSON object', 400],
    ['{"queries": []}', 'an array of 1 to 256 entries', 400],
    ['{"queries": [{"item": "1"}], "k": 3}', 'to stand alone', 400],
    [`{"item": "${'x'.repeat(1024 * 1024)}"}`, 'at most 1048576 bytes', 413],
  ])('%.60s is refused', async (payload, expected, status) => {
    const response = await post(payload);
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({
      code: 'INVALID_ARGUMENT',
      status,
      detail: expect.stringContaining(expected),
    });
  });

  test('the path of a wrong value inside is named', async () => {
    const response = await post({ queries: [{ item: '1' }, { history: [{ item: '1' }, { item: 2 }] }] });
    expect(response.json().errors).toEqual([
      { in: 'body', parameter: 'queries[1].history[1].item', expected: 'a string of 1 to 1024 characters', got: '2' },
    ]);
  });

  test('an unknown key names the nearest', async () => {
    const response = await post({ histroy: [{ item: '1' }] });
    expect(response.json()).toMatchObject({
      code: 'UNKNOWN_OPTION',
      detail: 'Unknown key "histroy". Did you mean "history"?',
    });
  });

  test('many unknown keys are all named, as far as eight', async () => {
    const response = await post(Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`strange${n}`, n])));
    expect(response.json()).toMatchObject({
      code: 'UNKNOWN_OPTION',
      errors: Array.from({ length: 8 }, () => expect.anything()),
    });
  });

  test('a missing key of an entry is named', async () => {
    const response = await post({ history: [{ weight: 1 }] });
    expect(response.json().detail).toBe('history[0].item: expected a string of 1 to 1024 characters, got nothing.');
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/cbor'])(
    'of type %s is refused with 415',
    async (type) => {
      const response = await post('item=1', { 'content-type': type });
      expect(response.statusCode).toBe(415);
      expect(response.json()).toMatchObject({
        code: 'INVALID_ARGUMENT',
        detail: `content-type: expected application/json or application/msgpack, got "${type}".`,
      });
    },
  );

  test('a body of twenty thousand wrong entries is refused with a short answer', async () => {
    const response = await post({ history: Array.from({ length: 9_000 }, () => ({ item: 3 })) });
    expect(response.statusCode).toBe(400);
    expect(response.body.length).toBeLessThan(4_000);
  });
});

describe('a fault of the service', () => {
  const secret = '/srv/secret/indexes/movies/items.ann';
  const failing = (error: unknown) =>
    buildApp({ collections: [collectionDouble({ onSearch: () => Promise.reject(error) })] });

  test.each([
    ['an unexpected error', new TypeError(`cannot read ${secret}`), 'INTERNAL'],
    ['a thrown string', `cannot read ${secret}`, 'INTERNAL'],
    ['a broken file', new NighError('CHECKSUM_MISMATCH', `${secret}: another checksum.`), 'CHECKSUM_MISMATCH'],
    ['an error with a foreign code', Object.assign(new Error(secret), { code: 'ENOENT' }), 'INTERNAL'],
  ])('%s tells the caller its code, and neither message nor stack', async (_name, error, code) => {
    const broken = await failing(error);
    const response = await broken.inject(`${base}/items/1/similar`);
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ code, status: 500 });
    expect(response.body).not.toContain('secret');
    expect(response.body).not.toMatch(/\bat .*:\d+:\d+/);
    const many = await broken.inject({ method: 'POST', url: `${base}/query`, payload: { queries: [{ item: '1' }] } });
    expect(many.statusCode).toBe(200);
    expect(many.json().answers[0].problem).toMatchObject({ code, status: 500 });
    expect(many.body).not.toContain('secret');
    await broken.close();
  });

  test('a closed collection is 503 with Retry-After', async () => {
    const broken = await failing(new NighError('CLOSED', 'The collection double was closed.'));
    const response = await broken.inject(`${base}/items/1/similar`);
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toMatchObject({ code: 'CLOSED', detail: 'The collection double was closed.' });
    await broken.close();
  });
});

describe('headers', () => {
  test('every answer has a strict policy, no frame, no sniffing, and its request id', async () => {
    for (const url of ['/', '/v1/collections', '/v1/nothing', '/healthz', '/explorer/explorer.js']) {
      const { headers } = await app.inject(url);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-frame-options']).toBe('DENY');
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['strict-transport-security']).toBeUndefined();
      expect(headers['x-request-id']).toMatch(/^[\w-]+$/);
    }
  });

  test('the documentation pages relax styles only', async () => {
    const policy = String((await app.inject('/docs')).headers['content-security-policy']);
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self' 'unsafe-inline';");
  });

  test('request ids are distinct, and a plain one of the caller is kept', async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await app.inject('/healthz')).headers['x-request-id']),
    );
    expect(new Set(ids).size).toBe(20);
    const given = await app.inject({ url: '/healthz', headers: { 'x-request-id': 'trace-7.a' } });
    expect(given.headers['x-request-id']).toBe('trace-7.a');
    const hostile = await app.inject({ url: '/healthz', headers: { 'x-request-id': 'a b"} {"level":60' } });
    expect(hostile.headers['x-request-id']).not.toContain('level');
  });
});

test('no file outside the page can be asked for', async () => {
  for (const path of [
    '/explorer/../app.ts',
    '/explorer/%2e%2e/app.ts',
    '/explorer/..%2fapp.ts',
    '/explorer/%2e%2e%2fapp.js',
  ]) {
    expect((await app.inject(path)).statusCode).toBe(404);
  }
});

test('an app needs at least one collection, and distinct names', async () => {
  await expect(buildApp({ collections: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(buildApp({ collections: [collectionDouble(), collectionDouble()] })).rejects.toMatchObject({
    code: 'DUPLICATE_ID',
  });
});
