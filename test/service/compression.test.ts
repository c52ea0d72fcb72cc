import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp } from '../../src/service/index.js';
import { encodingFor } from '../../src/service/plugins/compression.js';
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

const large = '/v1/collections/films/items?limit=100';
const decoders = { br: brotliDecompressSync, gzip: gunzipSync };

test.each(['br', 'gzip'] as const)('a large answer as %s is the answer', async (encoding) => {
  const plain = await app.inject(large);
  expect(plain.headers['content-encoding']).toBeUndefined();
  const packed = await app.inject({ url: large, headers: { 'accept-encoding': encoding } });
  expect(packed.headers['content-encoding']).toBe(encoding);
  expect(packed.headers.vary).toContain('accept-encoding');
  expect(packed.rawPayload.length).toBe(Number(packed.headers['content-length']));
  expect(packed.rawPayload.length).toBeLessThan(plain.rawPayload.length / 2);
  expect(decoders[encoding](packed.rawPayload).toString()).toBe(plain.body);
});

test('MessagePack and documents are compressed too, what is small and what nobody asked for is not', async () => {
  const headers = { 'accept-encoding': 'gzip', accept: 'application/msgpack' };
  const packed = await app.inject({ url: large, headers });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(packed.headers['content-type']).toBe('application/msgpack');
  const document = await app.inject({ url: '/openapi.json', headers: { 'accept-encoding': 'gzip' } });
  expect(JSON.parse(gunzipSync(document.rawPayload).toString()).openapi).toMatch(/^3\.1/);
  const small = await app.inject({
    url: '/v1/collections/films/items/river-1',
    headers: { 'accept-encoding': 'gzip' },
  });
  expect(small.headers['content-encoding']).toBeUndefined();
  expect(small.json().id).toBe('river-1');
});

test('an answer that the caller has is not compressed', async () => {
  const { headers } = await app.inject(large);
  const again = await app.inject({
    url: large,
    headers: { 'accept-encoding': 'br', 'if-none-match': String(headers.etag) },
  });
  expect(again.statusCode).toBe(304);
  expect(again.headers['content-encoding']).toBeUndefined();
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['identity', undefined],
  ['gzip', 'gzip'],
  ['gzip, deflate, br', 'br'],
  ['GZIP;q=0.5', 'gzip'],
  ['br;q=0, gzip;q=1.0', 'gzip'],
  ['br;q=0.0', undefined],
  ['xgzip', undefined],
] as const)('Accept-Encoding %o: %o', (accepted, expected) => {
  expect(encodingFor(accepted)).toBe(expected);
});
