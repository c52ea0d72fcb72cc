import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp, serve } from '../../src/service/index.js';
import { type SmallCollections, smallCollections } from './small-collections.js';

let collections: SmallCollections;
beforeAll(async () => {
  collections = await smallCollections();
});
afterAll(() => collections?.[Symbol.asyncDispose]());

/** The value of a line of the Prometheus format. */
function value(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match?.[1] !== name) continue;
    const given = Object.fromEntries(
      [...(match[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]),
    );
    if (Object.entries(labels).every(([key, wanted]) => given[key] === wanted)) return Number(match[3]);
  }
  return undefined;
}

test('requests by route and status, searches by space and plan, refusals by code', async () => {
  const app = await buildApp({ collections: [collections.films] });
  for (let n = 0; n < 3; n++) await app.inject(`/v1/collections/films/items/river-${n}/similar?space=cf`);
  await app.inject('/v1/collections/films/items/river-1/similar?space=text&exact=true');
  await app.inject('/v1/collections/films/items/none/similar');
  const response = await app.inject('/metrics');
  expect(response.headers['content-type']).toContain('text/plain');
  const text = response.body;
  const route = '/v1/collections/:collection/items/:item/similar';
  expect(value(text, 'nigh_request_seconds_count', { route, status: '200', method: 'GET' })).toBe(4);
  expect(value(text, 'nigh_request_seconds_count', { route, status: '404' })).toBe(1);
  expect(value(text, 'nigh_requests_refused_total', { code: 'UNKNOWN_ITEM' })).toBe(1);
  expect(value(text, 'nigh_search_seconds_count', { collection: 'films', space: 'cf' })).toBe(3);
  expect(value(text, 'nigh_search_seconds_count', { collection: 'films', space: 'text' })).toBe(1);
  expect(value(text, 'nigh_search_visited_total', { space: 'text' })).toBeGreaterThan(100);
  expect(value(text, 'nigh_generation', { collection: 'films' })).toBe(1);
  expect(value(text, 'nigh_items', { collection: 'films' })).toBe(collections.films.info.items);
  expect(value(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e7);
  expect(value(text, 'nigh_event_loop_delay_seconds', { quantile: '0.99' })).toBeGreaterThanOrEqual(0);
  await app.close();
});

test('the recall of what is served is measured while it is served', async () => {
  await using service = await serve({ collections: [collections.films], port: 0, canaryMs: 20 });
  let text = '';
  while (value(text, 'nigh_canary_recall', { space: 'text' }) === undefined) {
    text = await (await fetch(`${service.url}/metrics`)).text();
  }
  expect(value(text, 'nigh_canary_recall', { collection: 'films', space: 'text' })).toBeGreaterThan(0.9);
  expect(value(text, 'nigh_canary_recall', { collection: 'films', space: 'cf' })).toBeGreaterThan(0.9);
});

test('a token is asked for where reads need one', async () => {
  const app = await buildApp({ collections: [collections.films], token: 'secret' });
  expect((await app.inject('/metrics')).statusCode).toBe(401);
  expect((await app.inject({ url: '/metrics', headers: { authorization: 'Bearer secret' } })).statusCode).toBe(200);
  await app.close();
});

test('one structured line for each request, without its headers', async () => {
  const lines: { message: string; line: Record<string, unknown> }[] = [];
  const log = {
    level: 'info',
    trace() {},
    debug() {},
    fatal() {},
    silent() {},
    error() {},
    info: (line: Record<string, unknown>, message: string) => lines.push({ line, message }),
    warn: (line: Record<string, unknown>, message: string) => lines.push({ line, message }),
    child: () => log,
  };
  const app = await buildApp({ collections: [collections.films], logger: log as never, token: 'secret' });
  await app.inject({ url: '/v1/collections/films/items/river-1', headers: { authorization: 'Bearer secret' } });
  await app.close();
  expect(lines.filter(({ message }) => message === 'answered')).toEqual([
    {
      message: 'answered',
      line: expect.objectContaining({
        method: 'GET',
        url: '/v1/collections/films/items/river-1',
        route: '/v1/collections/:collection/items/:item',
        status: 200,
        ms: expect.any(Number),
      }),
    },
  ]);
  expect(JSON.stringify(lines)).not.toContain('secret');
});

test('the dashboard asks only for what there is', async () => {
  const app = await buildApp({ collections: [collections.films] });
  const { body } = await app.inject('/metrics');
  const known = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const dashboard = readFileSync(new URL('../../docs/grafana-dashboard.json', import.meta.url), 'utf8');
  const asked = [...dashboard.matchAll(/\b(?:nigh|process|nodejs)_\w+/g)].map(([name]) =>
    name.replace(/_(bucket|count|sum)$/, ''),
  );
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
  await app.close();
});
