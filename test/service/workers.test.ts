/** Several processes behind one port, as `nigh serve --workers` starts them. */
import { spawnSync } from 'node:child_process';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { RunningNigh, requireBuild } from '../cli/nigh-command.js';
import { type Generations, generations } from './generations.js';

const env = { NIGH_WRITE_TOKEN: 'may-write' };
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

/** A connection of its own each time, which goes to the next worker. */
async function ask(url: string): Promise<Response> {
  return fetch(url, { headers: { connection: 'close' } });
}

async function generationsOf(url: string, times: number): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let n = 0; n < times; n++) {
    const response = await ask(`${url}/v1/collections/words`);
    seen.add(((await response.json()) as { generation: string }).generation);
  }
  return seen;
}

test('both answer, measure together, reload together, and stop with code 0', async () => {
  await using built = await generations();
  const first = await built.build();
  const { nigh, url } = await start(built, 2);
  const similar = `${url}/v1/collections/words/items/i3/similar`;
  for (let n = 0; n < 8; n++) expect((await ask(similar)).status).toBe(200);
  // One line of the sum, whichever worker is asked; the second has answered some of them.
  const text = await (await ask(`${url}/metrics`)).text();
  expect(/^nigh_search_seconds_count\{.*\} 8$/m.test(text), text.slice(0, 2000)).toBe(true);
  expect(text).toMatch(/^nigh_generation\{collection="words"\} 1$/m);

  const second = await built.build();
  const headers = { authorization: 'Bearer may-write', connection: 'close' };
  const reloaded = await fetch(`${url}/v1/collections/words/reload`, { method: 'POST', headers });
  expect(reloaded.status).toBe(200);
  while ((await generationsOf(url, 4)).has(first));
  expect(await generationsOf(url, 6)).toEqual(new Set([second]));

  nigh.child.kill('SIGTERM');
  const { status, stderr } = await nigh.finished;
  expect(stderr).not.toMatch(/takes its place/);
  expect(status).toBe(0);
});

test('one that dies is replaced, and the port goes on answering', async () => {
  await using built = await generations();
  await built.build();
  const { nigh, url } = await start(built, 2);
  const pids = childrenOf(nigh.child.pid ?? 0);
  expect(pids).toHaveLength(2);
  process.kill(pids[0]!, 'SIGKILL');
  await nigh.says(/takes its place/);
  while (childrenOf(nigh.child.pid ?? 0).length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  for (let n = 0; n < 6; n++) expect((await ask(`${url}/healthz`)).status).toBe(200);
  nigh.child.kill('SIGTERM');
  expect((await nigh.finished).status).toBe(0);
});

test('a fault that all would have is told once, and nothing is left running', async () => {
  await using built = await generations();
  await built.build();
  const { url } = await start(built, 1);
  const { port } = new URL(url);
  // Without the token: the first one writes to the collection.
  const second = new RunningNigh(['serve', built.directory, '--port', port, '--workers', '2'], {
    env: {},
  });
  const { status, stderr } = await second.finished;
  expect(status).not.toBe(0);
  expect(stderr).toContain('already in use');
});

test('SIGHUP looks at CURRENT', async () => {
  await using built = await generations();
  const first = await built.build();
  const { nigh, url } = await start(built, 1);
  expect(await generationsOf(url, 1)).toEqual(new Set([first]));
  const second = await built.build();
  nigh.child.kill('SIGHUP');
  while (!(await generationsOf(url, 1)).has(second));
  nigh.child.kill('SIGTERM');
  expect((await nigh.finished).status).toBe(0);
});

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => (line.trim() === '' ? [] : [Number(line)]));
}
