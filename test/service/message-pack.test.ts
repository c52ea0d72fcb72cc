import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../src/service/index.js';
import { unpackMessage } from '../../src/service/wire-format.js';
import { type SmallCollections, smallCollections } from './small-collections.js';

const type = 'application/msgpack';
/** A writer and reader of plain MessagePack, as another language would have it. */
const packr = new Packr({ useRecords: false });
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

/** What differs from one answer to the next is made equal. */
function steady(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value)
      .replace(/"stages":\{[^}]*\}/g, '"stages":{}')
      .replace(/"tookMs":[\d.e-]+/g, '"tookMs":0')
      .replace(/request:[\w-]+/g, 'request'),
  );
}

test.each([
  '/v1/collections',
  '/v1/collections/films',
  '/v1/collections/films/items?query=harbour&limit=3',
  '/v1/collections/films/items/harbour-1',
  '/v1/collections/films/items/harbour-1/similar?k=5',
  '/v1/collections/films/users/u-1-1/recommendations',
  '/healthz',
  '/readyz',
  '/v1/collections/films/items/none',
  '/v1/collections/films/items/harbour-1/similar?k=0',
  '/v1/none',
])('%s holds the same in both forms', async (url) => {
  const [text, packed] = [await app.inject(url), await app.inject({ url, headers: { accept: type } })];
  expect(packed.statusCode).toBe(text.statusCode);
  expect(packed.headers['content-type']).toBe(text.statusCode === 200 ? type : 'application/problem+msgpack');
  expect(steady(packr.unpack(packed.rawPayload))).toEqual(steady(text.json()));
});

test('a question as MessagePack, its answer as MessagePack or JSON', async () => {
  const question = { history: [{ item: 'meadow-1' }, { item: 'a/b', weight: 0.5 }], k: 15 };
  const url = '/v1/collections/films/query';
  const asked = { method: 'POST', url, payload: packr.pack(question) } as const;
  const packed = await app.inject({ ...asked, headers: { 'content-type': type, accept: type } });
  const text = await app.inject({ ...asked, headers: { 'content-type': type } });
  const plain = await app.inject({ method: 'POST', url, payload: question });
  expect(plain.statusCode).toBe(200);
  expect(steady(packr.unpack(packed.rawPayload))).toEqual(steady(plain.json()));
  expect(steady(text.json())).toEqual(steady(plain.json()));
});

test('another form, another tag', async () => {
  const url = '/v1/collections/films/items/harbour-1';
  const text = await app.inject(url);
  const packed = await app.inject({ url, headers: { accept: type, 'if-none-match': String(text.headers.etag) } });
  expect(packed.statusCode).toBe(200);
  expect(packed.headers.vary).toBe('accept, accept-encoding');
});

test.each([
  ['application/json, application/msgpack;q=0.5', 'application/json; charset=utf-8'],
  ['application/msgpack, application/json', type],
  ['*/*', 'application/json; charset=utf-8'],
  ['text/html', 'application/json; charset=utf-8'],
])('Accept: %s is answered in %s', async (accept, expected) => {
  const { headers } = await app.inject({ url: '/v1/collections', headers: { accept } });
  expect(headers['content-type']).toBe(expected);
});

test('pages and files stay what they are', async () => {
  for (const url of ['/', '/explorer/explorer.js', '/docs']) {
    const { headers } = await app.inject({ url, headers: { accept: type } });
    expect(headers['content-type']).toMatch(/^text\/html|javascript/);
  }
});

describe('a body that is not what it should be', () => {
  const post = (payload: Buffer) =>
    app.inject({ method: 'POST', url: '/v1/collections/films/query', payload, headers: { 'content-type': type } });

  test.each([
    ['empty', Buffer.alloc(0), 'nothing'],
    ['cut off', packr.pack({ item: 'harbour-1', k: 3 }).subarray(0, 12), 'not valid MessagePack'],
    ['an array that claims four thousand million entries', Buffer.from('ddffffffff', 'hex'), 'not valid MessagePack'],
    ['a hundred thousand arrays in each other', Buffer.alloc(100_000, 0x91), 'not valid MessagePack'],
    ['a number', packr.pack(7), 'a JSON object'],
    ['a key that is none', packr.pack({ histroy: [] }), 'Did you mean "history"?'],
  ])('%s is refused', async (_name, payload, detail) => {
    const response = await post(payload);
    expect(response.statusCode).toBe(400);
    expect(response.json().detail).toContain(detail);
  });

  test('any bytes are answered or refused, never a fault', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        expect((await post(Buffer.from(bytes))).statusCode).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
});

test('typed arrays and binary are read as arrays of numbers, wherever they are', () => {
  const values = Float32Array.of(0.5, -2, 1e-3);
  const writer = new Packr({ moreTypes: true, useRecords: false });
  const binary = Buffer.from(values.buffer.slice(0));
  for (const vector of [values, binary]) {
    const read = unpackMessage(writer.pack({ queries: [{ vector, k: 3 }] }));
    expect(read).toEqual({ queries: [{ vector: Array.from(values), k: 3 }] });
  }
});
