/**
 * `nigh neighbors` over the whole npm graph, 80,340 items × top 50, killed five times at random moments of the clock and resumed: the files are
 * byte for byte those of a run that nobody disturbed. Needs the npm registry, or its package in the cache; builds indexes/npm-packages where it is
 * not there.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunningNigh, repository, requireBuild } from '../cli/nigh-command.js';
import { npmData } from '../data/support/npm-data.js';
import { seeded } from '../embeddings/support.js';

const collection = join(repository, 'indexes/npm-packages');
const items = 80_340;
const kills = 5;
const hour = 3_600_000;

/** What a run says of itself with --json. */
interface Summary {
  readonly rows: number;
  readonly neighbors: number;
  readonly resumedAt: number;
  readonly discarded: boolean;
}

const available = (await npmData('dependent-packages')) !== undefined;

describe.skipIf(!available)('the neighbours of all npm packages', () => {
  const random = seeded(80_340);
  let directory: string;

  beforeAll(async () => {
    requireBuild();
    directory = await mkdtemp(join(tmpdir(), 'nigh-neighbor-kills-'));
    if (!existsSync(join(collection, 'CURRENT'))) {
      const built = await new RunningNigh(['build', 'npm-packages'], { cwd: repository }).finished;
      expect(built.status, built.stderr).toBe(0);
    }
  }, hour);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const run = (out: string, options: readonly string[]) =>
    new RunningNigh(['neighbors', collection, '-k', '50', '--json', '--out', out, ...options]);

  /** Undisturbed. Gives how long the pass took, without the opening of the collection. */
  async function whole(out: string, options: readonly string[]): Promise<{ summary: Summary; ms: number }> {
    const running = run(out, options);
    await running.says(/rows, k 50/);
    const began = performance.now();
    const { status, stdout, stderr } = await running.finished;
    expect(status, stderr).toBe(0);
    return { summary: JSON.parse(stdout) as Summary, ms: performance.now() - began };
  }

  /** Killed so often within the pass, then run to its end. */
  async function killed(out: string, options: readonly string[], times: number, ms: number): Promise<Summary> {
    // Where the machine has become faster meanwhile and a run ends by itself, all begins again with less time.
    for (let most = ms / times; ; most /= 2) {
      let done = 0;
      for (; done < times; done++) {
        const running = run(out, options);
        await running.says(/rows, k 50/);
        await new Promise((next) => setTimeout(next, random() * most));
        running.child.kill('SIGKILL');
        await running.finished;
        if (running.child.signalCode !== 'SIGKILL') break;
        expect(existsSync(out)).toBe(false);
      }
      if (done === times) break;
      await rm(out, { force: true });
    }
    return (await whole(out, options)).summary;
  }

  async function digestsIn(folder: string): Promise<Record<string, string>> {
    const digests: Record<string, string> = {};
    for (const name of (await readdir(folder)).sort()) {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(join(folder, name))) hash.update(chunk as Buffer);
      digests[name] = hash.digest('hex');
    }
    return digests;
  }

  const passes: [format: string, what: string, options: readonly string[]][] = [
    ['parquet', 'approximate', []],
    ['jsonl', 'approximate', []],
    ['csv', 'approximate', []],
    ['npy', 'approximate', []],
    ['parquet', 'exact', ['--exact']],
    ['jsonl', 'exact, a sixth of the rows', ['--exact', '--shard', '2/6']],
    ['parquet', 'what suits a quarter of the users', ['--of', 'users', '--shard', '2/4']],
  ];
  test.each(passes)(
    `as %s, %s: killed ${kills} times and resumed, byte for byte the same`,
    async (format, _, options) => {
      const [undisturbed, disturbed] = [await mkdtemp(join(directory, 'a-')), await mkdtemp(join(directory, 'b-'))];
      const { summary, ms } = await whole(join(undisturbed, `x.${format}`), options);
      const resumed = await killed(join(disturbed, `x.${format}`), options, kills, ms);
      console.log(
        `${format}, ${options.join(' ')}: ${(ms / 1000).toFixed(1)} s, resumed at row ${resumed.resumedAt} of ${resumed.rows}`,
      );
      expect(resumed.resumedAt).toBeGreaterThan(0);
      expect(resumed).toMatchObject({ rows: summary.rows, neighbors: summary.neighbors, discarded: false });
      expect(await digestsIn(disturbed)).toEqual(await digestsIn(undisturbed));
      if (summary.rows === items && format === 'jsonl') await expectEveryItemOnce(join(disturbed, 'x.jsonl'));
      await rm(undisturbed, { recursive: true });
      await rm(disturbed, { recursive: true });
    },
    hour,
  );

  test(
    'in three shards, each killed twice and resumed, together the whole',
    async () => {
      const path = join(directory, 'whole.jsonl');
      const { ms } = await whole(path, []);
      const expected = await hashOf([path]);
      const parts: string[] = [];
      for (const shard of ['1/3', '2/3', '3/3']) {
        const part = join(directory, `part-${parts.length}.jsonl`);
        parts.push(part);
        await killed(part, ['--shard', shard], 2, ms / 3);
      }
      expect(await hashOf(parts)).toBe(expected);
      for (const file of [path, ...parts]) await rm(file);
    },
    hour,
  );

  test(
    'stopped by SIGTERM it ends with 143, says what is kept, and goes on from there',
    async () => {
      const [undisturbed, disturbed] = [join(directory, 'calm.parquet'), join(directory, 'stopped.parquet')];
      const { ms } = await whole(undisturbed, []);
      const running = run(disturbed, []);
      await running.says(/rows, k 50/);
      await new Promise((next) => setTimeout(next, ms / 2));
      running.child.kill('SIGTERM');
      const { status, stderr } = await running.finished;
      expect(status, stderr).toBe(143);
      expect(stderr).toContain('stopped.parquet.partial; the same command goes on from there');
      expect((await whole(disturbed, [])).summary.resumedAt).toBeGreaterThan(0);
      expect(await hashOf([disturbed])).toBe(await hashOf([undisturbed]));
    },
    hour,
  );

  async function hashOf(paths: readonly string[]): Promise<string> {
    const hash = createHash('sha256');
    for (const path of paths) for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }

  async function expectEveryItemOnce(path: string): Promise<void> {
    let rows = 0;
    let last = Buffer.alloc(0);
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const { id, neighbors } = JSON.parse(line) as { id: string; neighbors: readonly string[] };
      const bytes = Buffer.from(id);
      if (rows > 0) expect(Buffer.compare(last, bytes)).toBeLessThan(0);
      expect(neighbors.length).toBeLessThanOrEqual(50);
      expect(neighbors).not.toContain(id);
      last = bytes;
      rows++;
    }
    expect(rows).toBe(items);
  }
});
