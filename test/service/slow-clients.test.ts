/** Clients that send drop by drop, that do not read, that leave: each is cut off or let go of, and the others are served meanwhile. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type AppOptions, buildApp } from '../../src/service/app.js';
import { collectionDouble } from './collection-double.js';

type Collection = AppOptions['collections'][number];

/**
 * A service that waits for a third of a second where others wait for half a minute; longer where a busy machine must get something else done
 * meanwhile.
 */
async function start(collection: Collection = collectionDouble(), limits: Partial<AppOptions> = {}, waitMs = 300) {
  const app = await buildApp({ collections: [collection], maxDelayMs: 60_000, ...limits });
  // Node lets a body take the larger of the two.
  expect(app.server.headersTimeout).toBe(app.server.requestTimeout);
  Object.assign(app.server, { headersTimeout: waitMs, requestTimeout: waitMs, connectionsCheckingInterval: 50 });
  const url = await app.listen({ host: '127.0.0.1', port: 0, listenTextResolver: () => '' });
  return {
    app,
    url,
    port: Number(new URL(url).port),
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

/** A collection whose one item has a title of so many characters; counts how often it was asked for. */
function withTitleOf(characters: number): { collection: Collection; asked: { count: number } } {
  const asked = { count: 0 };
  const title = 'x'.repeat(characters);
  const double = collectionDouble();
  const item: Collection['item'] = (id) => {
    asked.count += 1;
    return { ...double.item(id), title };
  };
  return { collection: { ...double, item }, asked };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** How many questions are under way, by the service's own count. */
async function inFlight(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^nigh_requests_in_flight (\d+)$/m.exec(text)?.[1]);
}

const similar = '/v1/collections/double/items/1/similar';
const getRequest = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** Says `head` and then drop after drop; resolves with what came back once the connection is closed. */
function drip(port: number, head: string, drop: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  // A drop may fall on a connection that has just been closed.
  socket.on('error', () => {});
  if (head !== '') socket.write(head);
  const dropping = setInterval(() => drop !== '' && socket.write(drop), 20);
  return new Promise((resolve) => {
    socket.on('close', () => {
      clearInterval(dropping);
      resolve(answer);
    });
  });
}

/** Sends requests and never reads. */
async function deaf(port: number, requests: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.pause();
  socket.write(requests);
  return socket;
}

const post = 'POST /v1/collections/double/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' as const;

test.each([
  ['says nothing at all', '', ''],
  ['sends a head drop by drop', 'GET / HTTP/1.1\r\nHost: x\r\nX-Long: ', 'x'],
  ['sends a body drop by drop', `${post}Content-Length: 100000\r\n\r\n`, ' '],
  ['sends chunks of a character', `${post}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
])('who %s is cut off, and meanwhile others are served', async (_what, head, drop) => {
  await using service = await start();
  let over = false;
  const slow = Promise.all(Array.from({ length: 50 }, () => drip(service.port, head, drop))).finally(() => {
    over = true;
  });
  await until(async () => {
    const response = await fetch(service.url + similar);
    expect(response.status).toBe(200);
    await response.text();
    return over;
  });
  for (const answer of await slow) {
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: 'INVALID_ARGUMENT', status: 408 });
  }
  await until(async () => (await inFlight(service.url)) === 0);
});

test('who does not read an answer is cut off, and its place is free again', async () => {
  // More than a system takes in for somebody who does not read.
  const { collection } = withTitleOf(16 << 20);
  await using service = await start(collection, { maxPending: 2 }, 3000);
  const sockets = await Promise.all([1, 2].map(() => deaf(service.port, getRequest('/v1/collections/double/items/1'))));
  await until(async () => (await inFlight(service.url)) === 2);
  expect((await fetch(service.url + similar)).status).toBe(503);
  await until(async () => (await inFlight(service.url)) === 0);
  expect((await fetch(service.url + similar)).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

test('who reads late, but reads, gets the whole answer', async () => {
  const { collection } = withTitleOf(16 << 20);
  await using service = await start(collection);
  const socket = await deaf(service.port, getRequest('/v1/collections/double/items/1'));
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    // Sixteen pauses, together longer than the limit, each much shorter.
    if (bytes >> 20 === (bytes - chunk.length) >> 20) return;
    socket.pause();
    setTimeout(() => socket.resume(), 25);
  });
  socket.resume();
  await until(() => bytes > 16 << 20);
  socket.destroy();
});

test('who asks and asks and reads nothing has few answers made for it, and those are let go of', async () => {
  const { collection, asked } = withTitleOf(256 << 10);
  await using service = await start(collection, {}, 3000);
  const socket = await deaf(service.port, getRequest('/v1/collections/double/items/1').repeat(5000));
  await until(() => asked.count > 0);
  expect((await fetch(service.url + similar)).status).toBe(200);
  await until(async () => (await inFlight(service.url)) === 0);
  // Sixty-four at a time, and as many as the system has taken in.
  expect(asked.count).toBeGreaterThanOrEqual(64);
  expect(asked.count).toBeLessThan(200);
  socket.destroy();
});

test('requests that wait for another on their connection end with it, and leave their places', async () => {
  let begun = 0;
  let aborted = 0;
  const onSearch = (signal: AbortSignal | undefined) => {
    begun += 1;
    return new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => {
        aborted += 1;
        reject(signal.reason);
      });
    });
  };
  await using service = await start(collectionDouble({ onSearch }), { deadlineMs: 3_600_000 });
  const socket = await deaf(service.port, getRequest(similar).repeat(5));
  await until(() => begun === 5);
  expect(await inFlight(service.url)).toBe(5);
  socket.destroy();
  await until(() => aborted === 5);
  await until(async () => (await inFlight(service.url)) === 0);
});
