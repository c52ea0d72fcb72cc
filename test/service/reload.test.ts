/** From one generation to the next while questions are asked. */
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Retriever } from '../../src/retrieval/retriever.js';
import { buildApp, type RunningService, type ServeOptions, serve } from '../../src/service/index.js';
import { collectionDouble } from './collection-double.js';
import { type Generations, generationItems, generations } from './generations.js';
import { pointTo, swapUnderLoad } from './swaps.js';

const writeToken = 'may-write';

async function start(built: Generations, options: Partial<ServeOptions> = {}): Promise<RunningService> {
  const collection = await Retriever.open(built.directory);
  return serve({ collections: [collection], port: 0, writeToken, watchMs: 0, canaryMs: 0, ...options });
}

async function reload(url: string, token = writeToken) {
  const response = await fetch(`${url}/v1/collections/words/reload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function served(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/collections/words`);
  return ((await response.json()) as { generation: string }).generation;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('POST …/reload', () => {
  test('serves the live generation, with what was checked; again, it has nothing to do', async () => {
    await using built = await generations();
    const first = await built.build();
    await using service = await start(built);
    const second = await built.build();
    expect(await served(service.url)).toBe(first);
    const { status, body } = await reload(service.url);
    expect(status).toBe(200);
    expect(body).toMatchObject({ collection: 'words', from: first, to: second, swapped: true, overlap: 1 });
    expect((body.recall as { text: number }).text).toBeGreaterThan(0.9);
    expect(await served(service.url)).toBe(second);
    expect((await reload(service.url)).body).toMatchObject({ from: second, to: second, swapped: false });
  });

  test('a caller’s ETag of the old generation is out of date', async () => {
    await using built = await generations();
    await built.build();
    await using service = await start(built);
    const url = `${service.url}/v1/collections/words/items/i1`;
    const etag = String((await fetch(url)).headers.get('etag'));
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    await built.build();
    await reload(service.url);
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(200);
  });

  test('needs the write token; without one nobody may', async () => {
    await using built = await generations();
    await built.build();
    await using service = await start(built, { token: 'may-read' });
    expect(await reload(service.url, 'may-read')).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
    expect((await reload(service.url)).status).toBe(200);
    const app = await buildApp({ collections: [collectionDouble()] });
    const refused = await app.inject({ method: 'POST', url: '/v1/collections/double/reload' });
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: 'FORBIDDEN', detail: expect.stringContaining('NIGH_WRITE_TOKEN') });
    await app.close();
  });

  test('a collection that is not on disk cannot be', async () => {
    const app = await buildApp({ collections: [collectionDouble()], writeToken });
    const refused = await app.inject({
      method: 'POST',
      url: '/v1/collections/double/reload',
      headers: { authorization: `Bearer ${writeToken}` },
    });
    expect(refused.json()).toMatchObject({ code: 'UNSUPPORTED', status: 422 });
    await app.close();
  });

  test('a generation with an altered file is refused, and the old one goes on', async () => {
    await using built = await generations();
    const first = await built.build();
    await using service = await start(built);
    const second = await built.build();
    const folder = join(built.directory, second);
    const name = (await readdir(folder)).find((file) => file.endsWith('.ann'))!;
    const file = await open(join(folder, name), 'r+');
    const { size } = await file.stat();
    await file.write(Buffer.from([0xa5, 0x5a, 0xa5]), 0, 3, Math.floor(size / 2));
    await file.close();
    expect((await reload(service.url)).status).toBe(500);
    expect(await served(service.url)).toBe(first);
    expect((await fetch(`${service.url}/v1/collections/words/items/i3/similar`)).status).toBe(200);
  });

  test('a generation that answers otherwise is refused unless that is allowed', async () => {
    await using built = await generations();
    const first = await built.build();
    await using wary = await start(built, { minOverlap: 0.9 });
    await using easy = await start(built, { minOverlap: 0 });
    const second = await built.build((item) => Math.floor(item / (generationItems / 8)) % 8);
    expect(await reload(wary.url)).toMatchObject({ status: 422, body: { code: 'OVERLAP_FLOOR' } });
    expect(await served(wary.url)).toBe(first);
    expect((await reload(easy.url)).status).toBe(200);
    expect(await served(easy.url)).toBe(second);
  });
});

describe('a changed CURRENT', () => {
  test('is seen, and served', async () => {
    await using built = await generations();
    await built.build();
    await using service = await start(built, { watchMs: 30 });
    const second = await built.build();
    await until(async () => (await served(service.url)) === second);
  });

  test('is seen when it is asked for, as SIGHUP does', async () => {
    await using built = await generations();
    await built.build();
    await using service = await start(built);
    const second = await built.build();
    await service.reloadChanged();
    expect(await served(service.url)).toBe(second);
  });

  test('that leads nowhere leaves the old generation, and the next right one is served', async () => {
    await using built = await generations();
    const first = await built.build();
    await using service = await start(built, { watchMs: 30 });
    await pointTo(built, 'gen-000099');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await served(service.url)).toBe(first);
    const second = await built.build();
    await until(async () => (await served(service.url)) === second);
  });
});

test('swaps under load fail no request, and no answer mixes two generations', async () => {
  const { asked, seen, names } = await swapUnderLoad(8);
  expect(asked).toBeGreaterThan(20);
  expect(seen).toEqual(names);
}, 120_000);

test('a question under way is answered by the generation that it began with', async () => {
  let release = () => {};
  let closed = false;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const old = collectionDouble({ onSearch: () => held });
  const next = collectionDouble();
  const generation = 'gen-000002';
  const replaceable = {
    ...old,
    liveGeneration: async () => generation,
    reopen: async () => ({ ...next, info: { ...next.info, generation } }) as unknown as Retriever,
    sampleItems: () => [],
    close: async () => {
      closed = true;
    },
  };
  const app = await buildApp({ collections: [replaceable], writeToken });
  const answer = app.inject('/v1/collections/double/items/1/similar');
  await new Promise((resolve) => setTimeout(resolve, 20));
  const headers = { authorization: `Bearer ${writeToken}` };
  const swapped = await app.inject({ method: 'POST', url: '/v1/collections/double/reload', headers });
  expect(swapped.json()).toMatchObject({ swapped: true, to: generation });
  expect(closed).toBe(false);
  release();
  expect((await answer).statusCode).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(closed).toBe(true);
  await app.close();
});

test('what a removed directory leaves behind is still served', async () => {
  await using built = await generations();
  const first = await built.build();
  await using service = await start(built, { watchMs: 20 });
  await rm(built.directory, { recursive: true });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await served(service.url)).toBe(first);
  expect((await fetch(`${service.url}/v1/collections/words/items/i3/similar`)).status).toBe(200);
});
