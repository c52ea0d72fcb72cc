import { Agent, get, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { type ServeOptions, serve } from '../../src/service/index.js';
import { collectionDouble } from './collection-double.js';

/** A promise and what opens it. */
function gate() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** A search that goes on until it is released or aborted, with promises for what happens to it. */
function heldSearch() {
  const begun = gate();
  const released = gate();
  const aborted = gate();
  const onSearch = async (signal: AbortSignal | undefined) => {
    const abort = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => {
        aborted.open();
        reject(signal.reason);
      });
    });
    begun.open();
    await Promise.race([released.passed, abort]);
  };
  return { onSearch, begun: begun.passed, aborted: aborted.passed, release: released.open };
}

const start = (options: Partial<ServeOptions> = {}) =>
  serve({ collections: [collectionDouble()], port: 0, ...options });
const similar = (url: string) => `${url}/v1/collections/double/items/1/similar`;

/** Sends bytes as they are; resolves with all that came back once the connection is closed. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

describe('stopping', () => {
  test('the request under way is answered, and then nothing listens', async () => {
    const search = heldSearch();
    const service = await start({ collections: [collectionDouble({ onSearch: search.onSearch })] });
    const answer = fetch(similar(service.url));
    await search.begun;
    const closing = service.close();
    search.release();
    expect((await answer).status).toBe(200);
    await closing;
    await service.closed;
    await expect(fetch(similar(service.url))).rejects.toThrow();
  });

  test('readiness goes off at once, and what arrives on an open connection is still answered', async () => {
    const search = heldSearch();
    const service = await start({ collections: [collectionDouble({ onSearch: search.onSearch })] });
    const socket = connect(service.port, '127.0.0.1');
    const everything = text(socket);
    socket.write('GET /v1/collections/double/items/1/similar HTTP/1.1\r\nHost: x\r\n\r\n');
    await search.begun;
    const closing = service.close();
    // Read while the first is under way; its answer waits for the first one's.
    socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n');
    setTimeout(search.release, 50);
    const [first, second] = (await everything).split(/(?=HTTP\/1\.1 )/);
    expect(first).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(second).toMatch(/^HTTP\/1\.1 503 /);
    expect(second).toContain('NOT_READY');
    expect(second?.toLowerCase()).toContain('connection: close');
    await closing;
  });

  test('aborting the signal stops it, and close can be called again', async () => {
    const stop = new AbortController();
    const service = await start({ signal: stop.signal });
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    stop.abort();
    await service.closed;
    await service.close();
    await expect(fetch(`${service.url}/readyz`)).rejects.toThrow();
  });

  test('a signal that was aborted before never listens', async () => {
    await expect(start({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('idle kept-alive connections do not hold it up', async () => {
    const service = await start();
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      get(`${service.url}/healthz`, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject);
    });
    await service.close();
    agent.destroy();
  });

  test('a request that outlasts the drain is cut, and its search aborted', async () => {
    const search = heldSearch();
    const service = await start({ collections: [collectionDouble({ onSearch: search.onSearch })], drainMs: 50 });
    const answer = fetch(similar(service.url));
    await search.begun;
    await Promise.all([service.close(), expect(answer).rejects.toThrow(), search.aborted]);
  });
});

describe('clients that leave', () => {
  test.each(['GET', 'POST'])('the search of a %s is aborted', async (method) => {
    const search = heldSearch();
    await using service = await start({ collections: [collectionDouble({ onSearch: search.onSearch })] });
    const leave = new AbortController();
    const answer =
      method === 'GET'
        ? fetch(similar(service.url), { signal: leave.signal })
        : fetch(`${service.url}/v1/collections/double/query`, {
            method,
            signal: leave.signal,
            headers: { 'content-type': 'application/json' },
            body: '{"item": "1"}',
          });
    await search.begun;
    leave.abort();
    await expect(answer).rejects.toThrow();
    await search.aborted;
  });

  test('the search of a client that stays is not', async () => {
    let signal: AbortSignal | undefined;
    const onSearch = async (given: AbortSignal | undefined) => {
      signal = given;
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await using service = await start({ collections: [collectionDouble({ onSearch })] });
    const response = await fetch(`${service.url}/v1/collections/double/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"history": [{"item": "1"}]}',
    });
    expect(response.status).toBe(200);
    await response.text();
    expect(signal?.aborted).toBe(false);
  });
});

describe('ports and hosts', () => {
  test('a port in use is a clear error, and the first service goes on', async () => {
    await using first = await start();
    await expect(start({ port: first.port })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`${first.port} is already in use`),
    });
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
  });

  test.each([
    { port: -1 },
    { port: 65_536 },
    { port: 80.5 },
    { drainMs: -1 },
    { host: '' },
    { host: 'no such host.invalid' },
  ])('%o is refused', async (options) => {
    await expect(start(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('an address of another machine is refused', async () => {
    await expect(start({ host: '192.0.2.1', token: 't' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('192.0.2.1'),
    });
  });

  test('an unknown option names the nearest', async () => {
    const options = { hots: '127.0.0.1' } as Partial<ServeOptions>;
    await expect(start(options)).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
      message: expect.stringContaining('"host"'),
    });
  });
});

describe('what is not quite HTTP', () => {
  test('bytes that are no request get a problem document, and the connection is closed', async () => {
    await using service = await start();
    const answer = await raw(service.port, 'HELO there\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: 'INVALID_ARGUMENT', status: 400 });
  });

  test('headers that are too large', async () => {
    await using service = await start();
    const answer = await raw(service.port, `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"code":"INVALID_ARGUMENT"');
  });

  test.each([
    ['malformed', '{"item": ', 400],
    ['oversized', `{"item": "${'x'.repeat(2 * 1024 * 1024)}"}`, 413],
  ])('a %s body over a socket', async (_name, body, status) => {
    await using service = await start();
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const outgoing = request(
        `${service.url}/v1/collections/double/query`,
        { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } },
        async (response) => {
          resolve({ status: response.statusCode, body: await text(response) });
        },
      );
      // The service answers before it has read everything; the rest of the body then has nowhere to go.
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
      });
      outgoing.end(body);
    });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'INVALID_ARGUMENT', status });
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  test('an oversized body in chunks, without a length', async () => {
    await using service = await start();
    const chunk = `${(64 * 1024).toString(16)}\r\n${'x'.repeat(64 * 1024)}\r\n`;
    const head =
      'POST /v1/collections/double/query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' +
      'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const answer = await raw(service.port, head + chunk.repeat(17));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });
});

test('a kept-alive connection serves many requests', async () => {
  await using service = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (let n = 0; n < 20; n++) {
    await new Promise<void>((resolve, reject) => {
      get(similar(service.url), { agent }, (response) => {
        ports.add(response.socket.localPort);
        response.resume().on('end', resolve);
      }).on('error', reject);
    });
  }
  expect(ports.size).toBe(1);
  agent.destroy();
});

test('200 connections at once are all answered', async () => {
  await using service = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const statuses = await Promise.all(
    Array.from(
      { length: 200 },
      () =>
        new Promise<number | undefined>((resolve, reject) => {
          get(similar(service.url), { agent }, (response) =>
            response.resume().on('end', () => resolve(response.statusCode)),
          ).on('error', reject);
        }),
    ),
  );
  expect(statuses).toEqual(Array.from({ length: 200 }, () => 200));
  agent.destroy();
});
