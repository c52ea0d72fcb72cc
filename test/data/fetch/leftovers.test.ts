import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { processMark } from '../../../src/core/process-mark.js';
import { fetchDataset } from '../../../src/data/fetch/locate.js';
import type { NamedDataset } from '../../../src/data/fetch/named-datasets.js';
import { localServer } from '../support/local-server.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { sha256, zipFile } from '../support/zip-file.js';

const content = 'movieId,title\n1,Toy Story\n';
const archive = zipFile([{ name: 'ml/movies.csv', content }]);

const dataset = (address: string): NamedDataset => ({
  name: 'tiny',
  description: 'for the test',
  licence: 'none',
  source: 'here',
  delivery: { kind: 'zip', address: `${address}/ml.zip`, folder: 'ml', files: { 'movies.csv': sha256(content) } },
});

/** What a fetch of a process leaves in the cache when it is killed. */
async function leaves(cache: string, mark: string): Promise<string> {
  const name = `.partial-${mark}-aBc0dE`;
  await mkdir(join(cache, name, 'unzipped'), { recursive: true });
  await writeFile(join(cache, name, 'unzipped', 'movies.csv'), 'movieId,ti');
  return name;
}

describe('leftovers in the cache', () => {
  it('go at the next fetch when their process was killed, and stay while it runs', async () => {
    const address = await localServer((_, response) => void response.end(archive));
    const cache = await temporaryDirectory();
    const context = { environment: { NIGH_CACHE: cache } };
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      const leftover = await leaves(cache, await processMark(child.pid));
      expect((await fetchDataset(dataset(address), context)).from).toBe('download');
      expect((await readdir(cache)).sort()).toEqual([leftover, 'ml']);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    // Also when nothing has to be downloaded.
    expect((await fetchDataset(dataset(address), context)).from).toBe('cache');
    expect(await readdir(cache)).toEqual(['ml']);
  });

  it('are told from the directory of a fetch under way, which says whose it is', async () => {
    let release = () => {};
    const waiting = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = await localServer((_, response) => {
      response.setHeader('content-length', archive.length).write(archive.subarray(0, 10));
      void waiting.then(() => response.end(archive.subarray(10)));
    });
    const quick = await localServer((_, response) => void response.end(archive));
    const cache = await temporaryDirectory();
    const context = { environment: { NIGH_CACHE: cache } };
    const first = fetchDataset(dataset(slow), context);
    await expect.poll(() => readdir(cache)).toHaveLength(1);
    const [directory] = await readdir(cache);
    expect(directory).toMatch(new RegExp(`^\\.partial-${await processMark()}-[A-Za-z0-9]{6}$`));
    await fetchDataset(dataset(quick), context);
    expect((await readdir(cache)).sort()).toEqual([directory, 'ml']);
    release();
    expect((await first).path).toBe(join(cache, 'ml'));
    expect(await readdir(cache)).toEqual(['ml']);
  });

  it('are nothing else that lies there, nor what a link leads to', async () => {
    const address = await localServer((_, response) => void response.end(archive));
    const cache = await temporaryDirectory();
    const elsewhere = await temporaryDirectory({ 'kept.txt': 'kept' });
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await once(child, 'spawn');
    const ended = await processMark(child.pid);
    await once(child, 'exit');
    const others = ['.partial-', '.partial-aBc0dE', `.partial-${ended}`, `partial-${ended}-aBc0dE`, `${ended}-aBc0dE`];
    for (const name of others) await mkdir(join(cache, name));
    await symlink(elsewhere, join(cache, `.partial-${ended}-aBc0dE`), 'junction');
    await fetchDataset(dataset(address), { environment: { NIGH_CACHE: cache } });
    expect((await readdir(cache)).sort()).toEqual([...others, 'ml'].sort());
    expect(await readdir(elsewhere)).toEqual(['kept.txt']);
  });
});
