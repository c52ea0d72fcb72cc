/** What a service does with more than it can answer: refuse early, stop in time, serve the rest. */
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { describe, expect, test } from 'vitest';
import { type ServeOptions, serve } from '../../src/service/index.js';
import { wasOverrun } from '../../src/service/plugins/back-pressure.js';
import { collectionDouble } from './collection-double.js';

const start = (options: Partial<ServeOptions> = {}) =>
  serve({ collections: [collectionDouble()], port: 0, ...options });
const similar = (url: string) => `${url}/v1/collections/double/items/1/similar`;

/** A search that goes on until it is aborted; tells how many have begun. */
function endless() {
  const begun = { count: 0 };
  const onSearch = (signal: AbortSignal | undefined) => {
    begun.count += 1;
    return new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  };
  return { begun, onSearch };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('too many requests under way', () => {
  test('the next is 503 with Retry-After, those before it go on, and places become free again', async () => {
    const { begun, onSearch } = endless();
    await using service = await start({ collections: [collectionDouble({ onSearch })], maxPending: 3, drainMs: 0 });
    const leave = new AbortController();
    const held = Array.from({ length: 3 }, () =>
      fetch(similar(service.url), { signal: leave.signal }).catch(() => 'left'),
    );
    await until(() => begun.count === 3);
    const refused = await fetch(similar(service.url));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'OVERLOADED', status: 503 });
    expect(begun.count).toBe(3);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    leave.abort();
    await Promise.all(held);
    const again: Promise<unknown>[] = [];
    await until(() => {
      again.push(fetch(similar(service.url)).catch(() => 'cut'));
      return begun.count > 3;
    });
    await service.close();
    await Promise.all(again);
  });

  test.each([
    ['many requests and a busy process', { requests: 40, elapsedMs: 700, cpuMs: 690 }, true],
    ['in time', { requests: 40, elapsedMs: 400, cpuMs: 390 }, false],
    ['a long pause without requests', { requests: 1, elapsedMs: 3000, cpuMs: 3000 }, false],
    ['a process that others keep from its core', { requests: 40, elapsedMs: 3000, cpuMs: 300 }, false],
  ])('a late event loop: %s', (_name, look, expected) => {
    expect(wasOverrun(look, 500)).toBe(expected);
  });
});

describe('the deadline', () => {
  test('a search that takes too long is stopped, and its request is 504', async () => {
    const { onSearch } = endless();
    await using service = await start({ collections: [collectionDouble({ onSearch })], deadlineMs: 30 });
    const response = await fetch(similar(service.url));
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: 'DEADLINE', detail: expect.stringContaining('30 ms') });
  });

  test('each of many questions says so', async () => {
    const { onSearch } = endless();
    await using service = await start({ collections: [collectionDouble({ onSearch })], deadlineMs: 30 });
    const response = await fetch(`${service.url}/v1/collections/double/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ queries: [{ item: '1' }, { item: '2' }] }),
    });
    const { answers } = (await response.json()) as { answers: { problem: { code: string } }[] };
    expect(answers.map(({ problem }) => problem.code)).toEqual(['DEADLINE', 'DEADLINE']);
  });
});

describe('the rate limit', () => {
  test('one address may send so many in a second; health is not counted', async () => {
    await using service = await start({ rateLimit: 5 });
    const statuses: number[] = [];
    for (let n = 0; n < 8; n++) statuses.push((await fetch(similar(service.url))).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    const refused = await fetch(similar(service.url));
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await fetch(similar(service.url))).status).toBe(200);
  });
});

test('1,000 connections at once are all answered', async () => {
  await using service = await start({ maxDelayMs: 60_000 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1000 });
  const statuses = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const outgoing = get(similar(service.url), { agent });
      const [response] = await once(outgoing, 'response');
      response.resume();
      await once(response, 'end');
      return response.statusCode as number;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  agent.destroy();
});

test.each([
  { maxPending: 0 },
  { maxDelayMs: 0 },
  { deadlineMs: 0 },
  { rateLimit: 0 },
  { minOverlap: 2 },
  { watchMs: -1 },
])('%o is refused', async (options) => {
  await expect(start(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
