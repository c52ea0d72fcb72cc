/** Changes over real sockets: one process writes, whoever is asked; what was answered is seen by all. */
import { spawnSync } from 'node:child_process';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { NighClient } from '../../src/client/index.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { serve } from '../../src/service/index.js';
import { RunningNigh, requireBuild } from '../cli/nigh-command.js';
import { type Generations, generations } from './generations.js';

const token = 'may-write';
const env = { NIGH_WRITE_TOKEN: token };
let running: RunningNigh | undefined;

beforeAll(() => requireBuild());
afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.finished;
  running = undefined;
});

async function start(built: Generations, workers: number): Promise<{ nigh: RunningNigh; url: string }> {
  running = new RunningNigh(['serve', built.directory, '--port', '0', '--workers', String(workers)], { env });
  const [, url = ''] = await running.says(/Serving on (http:\S+)/);
  return { nigh: running, url };
}

/** One request on a connection of its own, which goes to the next worker. */
async function ask(url: string, method = 'GET', body?: object, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method,
    headers: {
      connection: 'close',
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('whichever worker is told, each one answers by it from then on', async () => {
  await using built = await generations();
  await built.build();
  const { nigh, url } = await start(built, 2);
  const items = `${url}/v1/collections/words/items`;
  let last = 0;
  for (let n = 0; n < 12; n++) {
    const title = `harbour of harbours, number ${1000 + n}`;
    const written = await ask(`${items}/new-${n}`, 'PUT', { title });
    expect(written.status).toBe(200);
    expect(written.body.sequence).toBeGreaterThan(last);
    last = Number(written.body.sequence);
    // The next two connections reach both workers.
    for (let other = 0; other < 2; other++) {
      expect((await ask(`${items}/new-${n}`)).body.title).toBe(title);
      const similar = await ask(`${items}/new-${n}/similar?k=3`);
      expect(similar.status).toBe(200);
      expect((similar.body.results as unknown[]).length).toBe(3);
    }
  }
  for (let n = 0; n < 4; n++) {
    expect(await ask(`${items}/new-${n}`, 'DELETE')).toMatchObject({ status: 200, body: { existed: true } });
    for (let other = 0; other < 2; other++) expect((await ask(`${items}/new-${n}`)).status).toBe(404);
  }
  nigh.child.kill('SIGTERM');
  expect((await nigh.finished).status).toBe(0);
  // All of it is on disk.
  await using again = await Retriever.open(built.directory);
  expect(again.item('new-11').title).toContain('1011');
  expect(() => again.item('new-0')).toThrow();
});

test('a change that is sent again under its key is made once, also to another worker', async () => {
  await using built = await generations();
  await built.build();
  const { url } = await start(built, 2);
  const item = `${url}/v1/collections/words/items/once`;
  const key = { 'idempotency-key': 'order-1' };
  const first = await ask(item, 'PUT', { title: 'bridge of bridges' }, key);
  for (let n = 0; n < 3; n++) {
    const again = await ask(item, 'PUT', { title: 'bridge of bridges' }, key);
    expect(again.body).toEqual(first.body);
  }
  const next = await ask(item, 'PUT', { title: 'bridge of bridges' });
  expect(next.body.sequence).toBe(Number(first.body.sequence) + 1);
});

test('a compaction that one worker is asked for is served by both, and changes nothing', async () => {
  await using built = await generations();
  const first = await built.build();
  const { url } = await start(built, 2);
  const root = `${url}/v1/collections/words`;
  await ask(`${root}/items/late`, 'PUT', { title: 'candle of candles, number 2000' });
  await ask(`${root}/items/i3`, 'DELETE');
  for (let n = 0; n < 2; n++) {
    const compacted = await ask(`${root}/compact`, 'POST');
    expect(compacted.status).toBe(200);
    const generation = String(compacted.body.generation);
    expect(generation).not.toBe(first);
    for (let other = 0; other < 4; other++) {
      await expect.poll(async () => (await ask(root)).body.generation).toBe(generation);
      expect((await ask(`${root}/items/late`)).body.title).toContain('2000');
      expect((await ask(`${root}/items/i3`)).status).toBe(404);
    }
    // The second time there is something to fold in again.
    await ask(`${root}/items/later-${n}`, 'PUT', { title: 'desert of deserts' });
  }
});

test('the worker that writes dies: another takes its place, and nothing that was answered is lost', async () => {
  await using built = await generations();
  await built.build();
  const { nigh, url } = await start(built, 2);
  const words = new NighClient(url, { token, retries: 20, backOffMs: 20 }).collection('words');
  const pids = childrenOf(nigh.child.pid ?? 0);
  const acknowledged: string[] = [];
  for (let n = 0; n < 30; n++) {
    // The first that was forked writes.
    if (n === 10) process.kill(Math.min(...pids), 'SIGKILL');
    await words.upsertItem(`k${n}`, { title: `engine of engines, number ${n}` });
    acknowledged.push(`k${n}`);
  }
  for (const id of acknowledged) expect((await words.item(id)).id).toBe(id);
  const interesting = await words.similarItems('k29', { k: 5 });
  expect(interesting.results).toHaveLength(5);
});

test('in one process: the client changes what it asks, and nobody else may write meanwhile', async () => {
  await using built = await generations();
  await built.build();
  await using retriever = await Retriever.open(built.directory, { write: true });
  await using service = await serve({ collections: [retriever], port: 0, writeToken: token, watchMs: 0, canaryMs: 0 });
  const words = new NighClient(service.url, { token, format: 'msgpack' }).collection('words');
  const { sequence } = await words.upsertItem('mine', { title: 'forest of forests', vectors: {} });
  expect(sequence).toBeGreaterThan(0);
  expect((await words.item('mine')).title).toBe('forest of forests');
  expect(await words.deleteItem('mine')).toMatchObject({ existed: true });
  expect(await words.deleteItem('mine')).toMatchObject({ existed: false });
  await expect(words.item('mine')).rejects.toMatchObject({ code: 'UNKNOWN_ITEM' });
  await words.addInteractions([{ user: 'somebody', item: 'i1' }]);
  expect((await words.recommend('somebody', { k: 3 })).results).toHaveLength(3);
  expect(await words.forgetUser('somebody')).toMatchObject({ existed: true });
  await expect(words.addInteractions([{ user: 'somebody', item: 'no such item' }])).rejects.toMatchObject({
    code: 'UNKNOWN_ITEM',
  });
  const second = new RunningNigh(['serve', built.directory, '--port', '0'], { env });
  const { status, stderr } = await second.finished;
  expect(status).not.toBe(0);
  expect(stderr).toContain('writ');
  const { generation } = await words.compact();
  expect((await words.info()).generation).toBe(generation);
});

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => (line.trim() === '' ? [] : [Number(line)]));
}
