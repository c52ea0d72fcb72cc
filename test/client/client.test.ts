/** The client against a real service, and against one that fails as networks do. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NighClient, ServiceError } from '../../src/client/index.js';
import { type RunningService, serve } from '../../src/service/index.js';
import { type SmallCollections, smallCollections } from '../service/small-collections.js';

let collections: SmallCollections;
let service: RunningService;

beforeAll(async () => {
  collections = await smallCollections();
  service = await serve({
    collections: [collections.films, collections.signs],
    port: 0,
    token: 'secret',
    maxDelayMs: 60_000,
  });
});
afterAll(async () => {
  await service?.close();
  await collections?.[Symbol.asyncDispose]();
});

/** An answer without what differs from one search to the next. */
const steady = <T extends { stats: object }>(answer: T) => ({
  ...answer,
  stats: { ...answer.stats, tookMs: 0, stages: {} },
});

describe.each(['json', 'msgpack'] as const)('over %s', (format) => {
  const films = () => new NighClient(service.url, { token: 'secret', format }).collection('films');

  test('every question is answered as the library answers it', async () => {
    const client = new NighClient(service.url, { token: 'secret', format });
    const { films: library } = collections;
    expect(await client.collections()).toEqual([library.info, collections.signs.info]);
    expect(await films().info()).toEqual(library.info);
    expect(await films().item('a/b')).toEqual(library.item('a/b'));
    expect(await films().findItems('harbour song', { limit: 3 })).toEqual(
      library.findItems('harbour song', { limit: 3 }),
    );
    expect(steady(await films().similarItems('日本語', { k: 4, space: 'text' }))).toEqual(
      steady(await library.similarItems('日本語', { k: 4, space: 'text' })),
    );
    expect(steady(await films().recommend('u-1-1', { excludeSeen: false }))).toEqual(
      steady(await library.recommend('u-1-1', { excludeSeen: false })),
    );
    const history = [{ item: 'meadow-1' }, { item: 'a/b', weight: 0.5 }];
    expect(steady(await films().recommendFor(history, { k: 3 }))).toEqual(
      steady(await library.recommendFor(history, { k: 3 })),
    );
  });

  test('a vector, and several parts together', async () => {
    const vector = Float32Array.from({ length: 16 }, (_, at) => Math.sin(at + 1));
    for (const question of [
      { vector, space: 'text', k: 3 },
      { item: 'river-1', user: 'u-1-1', k: 5 },
    ]) {
      expect(steady(await films().query(question))).toEqual(steady(await collections.films.query(question)));
    }
  });

  test('many questions in one call', async () => {
    const answers = await films().queryMany([{ item: 'meadow-1', k: 2 }, { item: 'none' }]);
    expect(answers[0]).toMatchObject({ results: [expect.anything(), expect.anything()] });
    expect(answers[1]).toMatchObject({ problem: { code: 'UNKNOWN_ITEM' } });
  });

  test('a refusal is an error with the service’s code, words and request id', async () => {
    const error = await films()
      .similarItems('none')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ code: 'UNKNOWN_ITEM', httpStatus: 404, requestId: expect.stringMatching(/./) });
    const refused = await films()
      .similarItems('meadow-1', { k: 0 })
      .catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', faults: [{ parameter: 'k', got: '0' }] });
  });

  test('what is no address of a service is refused when the client is made', () => {
    for (const url of ['', '127.0.0.1:8080', 'localhost', 'ftp://127.0.0.1', 'http://'])
      expect(() => new NighClient(url)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('without the token it is UNAUTHORIZED, with the wrong right for a change FORBIDDEN', async () => {
    await expect(new NighClient(service.url, { format }).collections()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(films().reload()).rejects.toMatchObject({ code: 'FORBIDDEN', httpStatus: 403 });
  });
});

/** A server that answers as it is told, one entry a request, the last one for ever. */
async function scripted(answers: readonly ((request: IncomingMessage, response: ServerResponse) => void)[]) {
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume();
    answers[Math.min(asked++, answers.length - 1)]?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const problem =
  (status: number, code: string, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
    response.end(JSON.stringify({ status, code, detail: 'as it was told' }));
  };
const fine = (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{"collections":[]}');
};
const cut = (request: IncomingMessage) => request.socket.destroy();
const quick = { backOffMs: 1 };

describe('failures that may pass', () => {
  test('a read is tried again: no connection, 429, 502, 503', async () => {
    await using server = await scripted([
      cut,
      problem(429, 'RATE_LIMITED'),
      problem(502, 'INTERNAL'),
      problem(503, 'OVERLOADED'),
      fine,
    ]);
    expect(await new NighClient(server.url, { ...quick, retries: 4 }).collections()).toEqual([]);
    expect(server.asked()).toBe(5);
  });

  test('not for ever, and the last failure is told', async () => {
    await using server = await scripted([problem(503, 'OVERLOADED')]);
    await expect(new NighClient(server.url, { ...quick, retries: 2 }).collections()).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: 'as it was told',
    });
    expect(server.asked()).toBe(3);
  });

  test('the pause that the service asks for is kept', async () => {
    await using server = await scripted([problem(503, 'OVERLOADED', { 'retry-after': '1' }), fine]);
    const began = performance.now();
    await new NighClient(server.url, quick).collections();
    expect(performance.now() - began).toBeGreaterThan(950);
  });

  test.each([
    [404, 'UNKNOWN_ITEM'],
    [400, 'INVALID_ARGUMENT'],
    [500, 'INTERNAL'],
    [504, 'DEADLINE'],
  ] as const)('%i is not one of them', async (status, code) => {
    await using server = await scripted([problem(status, code)]);
    await expect(new NighClient(server.url, quick).collections()).rejects.toMatchObject({ code });
    expect(server.asked()).toBe(1);
  });

  test('a change is tried once', async () => {
    await using server = await scripted([problem(503, 'OVERLOADED'), fine]);
    await expect(new NighClient(server.url, quick).collection('x').reload()).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
    expect(server.asked()).toBe(1);
  });

  test('where nobody listens it is NOT_READY', async () => {
    await expect(new NighClient('http://127.0.0.1:9', { retries: 0 }).collections()).rejects.toMatchObject({
      code: 'NOT_READY',
      httpStatus: 0,
    });
  });
});

test('a service that does not answer in time is DEADLINE, a caller who gives up ABORTED', async () => {
  await using server = await scripted([() => {}]);
  const client = new NighClient(server.url, { timeoutMs: 30 });
  await expect(client.collections()).rejects.toMatchObject({ code: 'DEADLINE' });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 10);
  const patient = new NighClient(server.url).collections({ signal: stop.signal });
  await expect(patient).rejects.toMatchObject({ code: 'ABORTED' });
});

test('what something in between answers is an error, not an answer', async () => {
  const page = (status: number) => (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Log in</h1>');
  };
  const broken = (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"collections"');
  };
  for (const answer of [page(200), page(403), broken]) {
    await using server = await scripted([answer]);
    await expect(new NighClient(server.url, quick).collections()).rejects.toMatchObject({ code: 'INTERNAL' });
  }
});

test('a service below a path, and an unknown option', async () => {
  const paths: string[] = [];
  await using server = await scripted([
    (request, response) => {
      paths.push(request.url ?? '');
      fine(request, response);
    },
  ]);
  await new NighClient(`${server.url}/near//`).collections();
  expect(paths).toEqual(['/near/v1/collections']);
  expect(() => new NighClient(server.url, { retrys: 3 } as object)).toThrow(/Did you mean "retries"/);
});
