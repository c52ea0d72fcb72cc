import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildApp } from '../../src/service/index.js';
import { packMessage, unpackMessage } from '../../src/service/wire-format.js';
import { type ChangeLog, changeableDouble, collectionDouble } from './collection-double.js';

type App = Awaited<ReturnType<typeof buildApp>>;

let app: App;
let log: ChangeLog;

beforeAll(async () => {
  const { collection, log: changes } = changeableDouble();
  log = changes;
  app = await buildApp({ collections: [collection, collectionDouble({ name: 'fixed' })], writeToken: 'may-write' });
});
afterAll(() => app.close());
beforeEach(() => {
  log.calls.length = 0;
});

const root = '/v1/collections/double';
const authorization = 'Bearer may-write';

interface Sent {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly body?: object;
}

function send({ method, url, body }: Sent, headers: Record<string, string> = { authorization }) {
  return app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
}

const changes: readonly (readonly [string, Sent, { method: string; given: unknown[] }])[] = [
  [
    'an item',
    {
      method: 'PUT',
      url: `${root}/items/a%2Fb`,
      body: { title: 'A thing', attributes: { year: 2001, tags: ['x', 'y'] }, vectors: { cf: [1, 2.5] } },
    },
    {
      method: 'upsertItem',
      given: ['a/b', { title: 'A thing', attributes: { year: 2001, tags: ['x', 'y'] }, vectors: { cf: [1, 2.5] } }, {}],
    },
  ],
  ['no item', { method: 'DELETE', url: `${root}/items/1` }, { method: 'deleteItem', given: ['1', {}] }],
  [
    'events',
    { method: 'POST', url: `${root}/interactions`, body: { interactions: [{ user: 'u', item: '1', value: 4 }] } },
    { method: 'addInteractions', given: [[{ user: 'u', item: '1', value: 4 }], {}] },
  ],
  ['no user', { method: 'DELETE', url: `${root}/users/u` }, { method: 'forgetUser', given: ['u', {}] }],
];

describe.each(changes)('%s', (_what, sent, call) => {
  test('is changed as the library changes it, and answered with its place in the journal', async () => {
    const response = await send(sent);
    expect(response.statusCode).toBe(200);
    expect(log.calls).toEqual([call]);
    const removed = sent.method === 'DELETE' ? { existed: true } : {};
    expect(response.json()).toEqual({ sequence: log.sequence, ...removed });
  });

  test('goes under its Idempotency-Key', async () => {
    const response = await send(sent, { authorization, 'idempotency-key': 'order-66.a:b' });
    expect(response.statusCode).toBe(200);
    expect(log.calls[0]?.given.at(-1)).toEqual({ requestId: 'order-66.a:b' });
  });

  test('is refused under a key that is none', async () => {
    for (const key of ['', 'a b', 'x'.repeat(129), 'é']) {
      const response = await send(sent, { authorization, 'idempotency-key': key });
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(log.calls).toEqual([]);
  });

  test('needs the write token', async () => {
    expect((await send(sent, {})).statusCode).toBe(401);
    expect((await send(sent, { authorization: 'Bearer may-read' })).statusCode).toBe(401);
    const closed = await buildApp({ collections: [changeableDouble().collection] });
    const { method, url } = sent;
    expect((await closed.inject({ method, url, headers: { authorization } })).json()).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
    });
    await closed.close();
    expect(log.calls).toEqual([]);
  });

  test('is refused by a collection that cannot be changed', async () => {
    const response = await send({ ...sent, url: sent.url.replace('/double/', '/fixed/') });
    expect(response.json()).toMatchObject({ status: 422, code: 'UNSUPPORTED' });
  });
});

test('a removal of what was not there says so', async () => {
  const response = await send({ method: 'DELETE', url: `${root}/items/nothing` });
  expect(response.json()).toMatchObject({ existed: false });
});

test('a change may be MessagePack, with a vector as typed array or as binary', async () => {
  const vector = Float32Array.of(0.5, -2);
  for (const cf of [vector, Buffer.from(vector.buffer)]) {
    const response = await app.inject({
      method: 'PUT',
      url: `${root}/items/1`,
      headers: { authorization, 'content-type': 'application/msgpack', accept: 'application/msgpack' },
      payload: Buffer.from(packMessage({ title: 'T', vectors: { cf } })),
    });
    expect(response.statusCode).toBe(200);
    expect(unpackMessage(response.rawPayload)).toEqual({ sequence: log.sequence });
  }
  expect(log.calls.map(({ given }) => given[1])).toEqual([
    { title: 'T', vectors: { cf: [0.5, -2] } },
    { title: 'T', vectors: { cf: [0.5, -2] } },
  ]);
});

test.each([
  ['no body', { method: 'POST', url: `${root}/interactions` }],
  ['no interactions', { method: 'POST', url: `${root}/interactions`, body: { interactions: [] } }],
  [
    'an event without an item',
    { method: 'POST', url: `${root}/interactions`, body: { interactions: [{ user: 'u' }] } },
  ],
  [
    'a value that is text',
    { method: 'POST', url: `${root}/interactions`, body: { interactions: [{ user: 'u', item: '1', value: '4' }] } },
  ],
  ['an unknown key', { method: 'PUT', url: `${root}/items/1`, body: { titel: 'x' } }],
  ['an attribute that is an object', { method: 'PUT', url: `${root}/items/1`, body: { attributes: { a: {} } } }],
  ['a vector of texts', { method: 'PUT', url: `${root}/items/1`, body: { vectors: { cf: ['1'] } } }],
  ['a vector of nothing', { method: 'PUT', url: `${root}/items/1`, body: { vectors: { cf: [] } } }],
  ['a query parameter', { method: 'DELETE', url: `${root}/items/1?force=true` }],
] as [string, Sent][])('%s is refused, and nothing is changed', async (_what, sent) => {
  const response = await send(sent);
  expect(response.statusCode).toBe(400);
  expect(response.json().errors.length).toBeGreaterThan(0);
  expect(log.calls).toEqual([]);
});

test('a compaction is answered with what is served then', async () => {
  const response = await send({ method: 'POST', url: `${root}/compact` });
  expect(response.json()).toEqual({ generation: 'gen-1' });
  expect(log.calls).toEqual([{ method: 'compact', given: [] }]);
});

test('what others have written is applied before a question is answered, and tags of before are stale', async () => {
  const first = await app.inject(`${root}/items/1`);
  const again = await app.inject({ url: `${root}/items/1`, headers: { 'if-none-match': String(first.headers.etag) } });
  expect(again.statusCode).toBe(304);
  const before = log.sequence;
  log.behind = 3;
  const later = await app.inject({ url: `${root}/items/1`, headers: { 'if-none-match': String(first.headers.etag) } });
  expect(later.statusCode).toBe(200);
  expect(log.sequence).toBe(before + 3);
});

test('changes are counted, and the journal is told of', async () => {
  await send({ method: 'DELETE', url: `${root}/items/1` });
  const { body } = await app.inject('/metrics');
  expect(body).toMatch(/^nigh_changes_total\{collection="double",kind="deleteItem"\} [1-9]/m);
  expect(body).toContain(`nigh_journal_sequence{collection="double"} ${log.sequence}\n`);
  expect(body).toContain(`nigh_journal_bytes{collection="double"} ${100 * log.sequence}\n`);
  expect(body).not.toContain('nigh_journal_sequence{collection="fixed"}');
});
