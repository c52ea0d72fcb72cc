import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import type { NeighborRow } from '../../src/retrieval/neighbors/block.js';
import { streamNeighbors, writeNeighbors } from '../../src/retrieval/neighbors/files/write-neighbors.js';
import type { NeighborsOptions } from '../../src/retrieval/neighbors/options.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { seeded } from '../embeddings/support.js';

const script = join(import.meta.dirname, 'support/killed-neighbors.mjs');
const build = join(import.meta.dirname, '../../dist/retrieval/index.js');

/** A large k makes small blocks: 209 rows, so that 1,000 items are five of them. The condition leaves some twenty neighbours. */
const several = { k: 5_000, where: 'kept = 1', exact: true } as const satisfies NeighborsOptions;
const formats = ['parquet', 'jsonl', 'csv', 'npy'] as const;
const names = { parquet: 'x.parquet', jsonl: 'x.jsonl', csv: 'x.csv', npy: 'x.npy' };

let directory: string;
let collection: string;
let world: Retriever;
/** What the formats' files must hold. */
let expected: NeighborRow[];

beforeAll(async () => {
  if (!existsSync(build)) throw new Error('dist/ is missing: run `npm run build`, or the tests through `npm test`.');
  directory = await mkdtemp(join(tmpdir(), 'nigh-neighbor-files-'));
  collection = join(directory, 'world');
  const random = seeded(7);
  // Ids that a careless writer would break; of some nothing is known.
  const ids = Array.from({ length: 1000 }, (_, n) => (n % 97 === 0 ? `"${n}", ü 𝔘` : `i${n}`));
  await lines(
    'items.jsonl',
    ids.map((id, n) => ({ id, kept: n % 50 === 0 ? 1 : 0 })),
  );
  await lines(
    'vectors.jsonl',
    ids.flatMap((id, n) => (n % 211 === 3 ? [] : [{ id, vector: Array.from({ length: 4 }, () => random() - 0.5) }])),
  );
  const recipe = {
    name: 'thousand',
    dataset: { source: 'jsonl', items: { path: 'items.jsonl', id: 'id', columns: { kept: { type: 'number' } } } },
    spaces: { look: { embedding: 'precomputed', file: 'vectors.jsonl', index: { kind: 'flat' } } },
  };
  await buildCollection(parseRecipe(JSON.stringify(recipe), directory), collection, { threads: 1 });
  world = await Retriever.open(collection);
  expected = [];
  for await (const row of world.neighbors({ ...several, fallback: false }).each()) expected.push(row);
  expect(expected).toHaveLength(1000);
});

afterAll(async () => {
  await world?.close();
  await rm(directory, { recursive: true, force: true });
});

async function lines(name: string, records: readonly object[]): Promise<void> {
  await writeFile(join(directory, name), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
}

const options = { ...several, fallback: false } as const;
const folder = () => mkdtemp(join(directory, 'out-'));

async function digestsIn(of: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const name of (await readdir(of)).sort()) digests[name] = await digest(join(of, name));
  return digests;
}

async function digest(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

/** Readers that know nothing of the writers. */
const readers: Record<(typeof formats)[number], (path: string) => Promise<NeighborRow[]>> = {
  async parquet(path) {
    const bytes = await readFile(path);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    return (await parquetReadObjects({ file })) as unknown as NeighborRow[];
  },
  async jsonl(path) {
    const text = await readFile(path, 'utf8');
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as NeighborRow);
  },
  async csv(path) {
    type Line = { id: string; rank: string; neighbor: string; score: string; space: string };
    const rows = new Map<string, { id: string; space: string; neighbors: string[]; scores: number[] }>();
    for (const { id, rank, neighbor, score, space } of parse<Line>(await readFile(path), { columns: true })) {
      const row = rows.get(id) ?? { id, space, neighbors: [], scores: [] };
      rows.set(id, row);
      row.neighbors.push(neighbor);
      row.scores.push(Number(score));
      expect(Number(rank)).toBe(row.neighbors.length);
    }
    return [...rows.values()];
  },
  async npy(path) {
    const stem = path.replace('.npy', '');
    const numbers = await matrix(path, '<u4');
    const scores = await matrix(`${stem}.scores.npy`, '<f4');
    const [ids, items] = await Promise.all(
      ['ids', 'items'].map(async (what) => (await readFile(`${stem}.${what}.txt`, 'utf8')).split('\n').slice(0, -1)),
    );
    expect(numbers.shape).toEqual([ids!.length, options.k]);
    expect(scores.shape).toEqual(numbers.shape);
    return ids!.map((id, r) => {
      const at = Array.from({ length: options.k }, (_, i) => r * options.k + i);
      const known = at.filter((i) => numbers.bytes.readUInt32LE(4 * i) !== 0xffffffff);
      expect(at.filter((i) => !Number.isNaN(scores.bytes.readFloatLE(4 * i)))).toEqual(known);
      return {
        id,
        space: '',
        neighbors: known.map((i) => items![numbers.bytes.readUInt32LE(4 * i)]!),
        scores: known.map((i) => scores.bytes.readFloatLE(4 * i)),
      };
    });
  },
};

async function matrix(path: string, descr: string): Promise<{ shape: number[]; bytes: Buffer }> {
  const file = await readFile(path);
  const header = file.subarray(10, 10 + file.readUInt16LE(8)).toString('latin1');
  expect(header).toContain(`'descr': '${descr}', 'fortran_order': False`);
  const shape = /\((\d+), (\d+)\)/.exec(header)!.slice(1).map(Number);
  const bytes = file.subarray(10 + header.length);
  expect(bytes).toHaveLength(shape[0]! * shape[1]! * 4);
  return { shape, bytes };
}

describe('files of neighbours', () => {
  for (const format of formats) {
    it(`hold every row as ${format}, and nothing is left beside them`, async () => {
      const out = await folder();
      const path = join(out, names[format]);
      const progress: number[] = [];
      const written = await writeNeighbors(world.neighbors(options), path, {
        onProgress: (done) => progress.push(done),
      });
      const neighbors = expected.reduce((sum, row) => sum + row.neighbors.length, 0);
      expect(written).toMatchObject({ format, rows: 1000, neighbors, resumedAt: 0, discarded: false });
      expect(written.paths.map((each) => basename(each)).sort()).toEqual((await readdir(out)).sort());
      expect(progress[0]).toBe(0);
      expect(progress.length).toBe(6);
      expect(progress.at(-1)).toBe(1000);

      const rows = await readers[format](path);
      // CSV has no line for a row without neighbours.
      const there = format === 'csv' ? expected.filter((row) => row.neighbors.length > 0) : expected;
      expect(rows.map(({ id }) => id)).toEqual(there.map(({ id }) => id));
      rows.forEach((row, r) => {
        expect(row.neighbors).toEqual(there[r]!.neighbors);
        if (format !== 'npy') expect(row.space).toBe(there[r]!.space);
        row.scores.forEach((score, at) => {
          expect(score).toBeCloseTo(there[r]!.scores[at]!, 6);
        });
      });
    });
  }

  // The one keeps a state beside the bytes, the other has several files.
  for (const format of ['parquet', 'npy'] as const) {
    it(`go on as ${format} after kills at any moment, and come out byte for byte the same`, {
      timeout: 100_000,
    }, async () => {
      const run = (out: string, moment: number | 'never') => {
        const args = [script, collection, join(out, names[format]), JSON.stringify(options), String(moment)];
        const { signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 100_000 });
        if (signal === null && stdout === '') throw new Error(stderr);
        return { signal, calls: Number(stdout) };
      };
      const whole = await folder();
      const { calls } = run(whole, 'never');
      const wanted = await digestsIn(whole);
      const out = await folder();
      const random = seeded(format.length);
      let kills = 0;
      for (; kills < 5; kills++) {
        const moment = 8 + Math.floor((random() * calls) / 4);
        if (run(out, moment).signal === null) break;
        expect(existsSync(join(out, names[format]))).toBe(false);
      }
      expect(kills).toBeGreaterThan(2);
      run(out, 'never');
      expect(await digestsIn(out)).toEqual(wanted);
      // While the files are put into place: the last calls are their renaming, and the removal of the progress and the lock.
      for (const fromTheEnd of format === 'npy' ? [1, 4] : [2]) {
        const dying = await folder();
        expect(run(dying, calls - fromTheEnd).signal).toBe('SIGKILL');
        run(dying, 'never');
        expect(await digestsIn(dying)).toEqual(wanted);
      }
    });
  }

  it('go on where the signal stopped them', async () => {
    const out = await folder();
    const path = join(out, 'x.jsonl');
    const stop = new AbortController();
    const stopped = writeNeighbors(world.neighbors({ ...options, signal: stop.signal }), path, {
      onProgress: (done) => done > 300 && stop.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await readdir(out)).sort()).toEqual(['x.jsonl.partial', 'x.jsonl.progress']);
    const written = await writeNeighbors(world.neighbors(options), path);
    expect(written.resumedAt).toBeGreaterThan(300);
    expect(await readers.jsonl(path)).toHaveLength(1000);
    expect(await readdir(out)).toEqual(['x.jsonl']);
  });

  it('do not take over what is of another question, is damaged or was not wanted', async () => {
    const out = await folder();
    const path = join(out, 'x.csv');
    const whole = join(out, 'whole.csv');
    await writeNeighbors(world.neighbors(options), whole);
    const begin = async (given: NeighborsOptions) => {
      const stop = new AbortController();
      const onProgress = (done: number) => done > 300 && stop.abort();
      await writeNeighbors(world.neighbors({ ...given, signal: stop.signal }), path, { onProgress }).catch(() => {});
    };
    const finish = async (restart = false) => {
      const written = await writeNeighbors(world.neighbors(options), path, { restart });
      expect(await digest(path)).toBe(await digest(whole));
      return written;
    };
    await begin({ ...options, minScore: 0.5 });
    expect(await finish()).toMatchObject({ resumedAt: 0, discarded: true });
    await begin(options);
    expect(await finish(true)).toMatchObject({ resumedAt: 0, discarded: true });

    await begin(options);
    const partial = `${path}.partial`;
    const bytes = await readFile(partial);
    // A byte that changed is found, and what is behind it done again.
    bytes[Math.floor(bytes.length * 0.6)]! ^= 1;
    await writeFile(partial, bytes);
    const { resumedAt } = await finish();
    expect(resumedAt).toBeGreaterThan(0);
    expect(resumedAt).toBeLessThan(418);

    await begin(options);
    await truncate(partial, 10);
    expect(await finish()).toMatchObject({ resumedAt: 0 });
    await begin(options);
    await rm(partial);
    expect(await finish()).toMatchObject({ resumedAt: 0 });
    await begin(options);
    await writeFile(`${path}.progress`, 'nothing that\nmakes sense\n');
    expect(await finish()).toMatchObject({ resumedAt: 0, discarded: true });
  });

  it('have several row groups where a block has many neighbours, also when they are gone on with', async () => {
    const path = join(await folder(), 'x.parquet');
    const many = { k: 120, exact: true, fallback: false };
    await writeNeighbors(world.neighbors(many), path);
    const file = (await readFile(path)).buffer;
    expect(parquetMetadata(file as ArrayBuffer).row_groups.length).toBe(3);
    const rows: NeighborRow[] = [];
    for await (const row of world.neighbors(many).each()) rows.push(row);
    expect((await readers.parquet(path)).map(({ neighbors }) => neighbors)).toEqual(
      rows.map(({ neighbors }) => neighbors),
    );
    const whole = await digest(path);
    // The block is there, its end is not.
    const stopped = writeNeighbors(world.neighbors(many), path, {
      onProgress: (done) => {
        if (done > 0) throw new Error('enough');
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(await writeNeighbors(world.neighbors(many), path)).toMatchObject({ resumedAt: 1000 });
    expect(await digest(path)).toBe(whole);
  });

  it('are written by one at a time', async () => {
    const path = join(await folder(), 'x.jsonl');
    const first = writeNeighbors(world.neighbors(options), path);
    const second = writeNeighbors(world.neighbors(options), path);
    const outcomes = await Promise.allSettled([first, second]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'LOCKED' } });
    expect(await readers.jsonl(path)).toHaveLength(1000);
  });

  it('are refused where they cannot be, before anything is searched', async () => {
    const out = await folder();
    const wrong: [code: string, path: string, given: object][] = [
      ['INVALID_ARGUMENT', join(out, 'x.txt'), {}],
      ['INVALID_ARGUMENT', join(out, 'x.csv'), { format: 'cvs' }],
      ['UNKNOWN_OPTION', join(out, 'x.csv'), { forma: 'csv' }],
      ['NOT_FOUND', join(out, 'nowhere', 'x.csv'), {}],
      ['INVALID_ARGUMENT', '', { format: 'csv' }],
    ];
    for (const [code, path, given] of wrong) {
      await expect(writeNeighbors(world.neighbors(options), path, given), path).rejects.toMatchObject({ code });
    }
    expect(await readdir(out)).toEqual([]);
  });

  it('go to a pipe as the same bytes, at the pace of the reader', async () => {
    for (const format of ['jsonl', 'csv'] as const) {
      const path = join(await folder(), names[format]);
      await writeNeighbors(world.neighbors(options), path);
      const chunks: Uint8Array[] = [];
      await streamNeighbors(world.neighbors(options), format, async (bytes) => {
        await new Promise((resolve) => setImmediate(resolve));
        chunks.push(bytes.slice());
      });
      expect(Buffer.concat(chunks).equals(await readFile(path))).toBe(true);
    }
    await expect(streamNeighbors(world.neighbors(options), 'parquet', async () => {})).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });
});
