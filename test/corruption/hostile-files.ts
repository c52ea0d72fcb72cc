/**
 * Files of a collection that were altered and given right checksums again, so that nothing but the checks of what they hold stands between
 * them and the process. Whatever comes of it is an answer or an error of ours.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import { type Manifest, readManifest } from '../../src/retrieval/generation.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { seeded } from '../embeddings/support.js';
import type { Damaged } from './damage.js';

/** What is altered: files that msgpackr reads, and the manifest. */
const packed = [
  'items.msgpack',
  'users.msgpack',
  'interactions.msgpack',
  'cf.model.msgpack',
  'text.model.msgpack',
  'words.model.msgpack',
];

const interesting = [
  0, 1, 0x7f, 0x80, 0x8f, 0x90, 0xa0, 0xc0, 0xc1, 0xc4, 0xc7, 0xcb, 0xcf, 0xd4, 0xd8, 0xdd, 0xdf, 0xff,
];

/** A few bytes overwritten, a piece taken out, or a piece put in twice. */
function mutated(bytes: Buffer, random: () => number): Buffer {
  const below = (n: number) => Math.floor(random() * n);
  const altered = Buffer.from(bytes);
  const at = below(bytes.length);
  const length = 1 + below(Math.min(16, bytes.length - at));
  switch (below(4)) {
    case 0:
      return Buffer.concat([altered.subarray(0, at), altered.subarray(at + length)]);
    case 1:
      return Buffer.concat([altered.subarray(0, at + length), altered.subarray(at)]);
    default:
      for (let i = 0; i <= below(4); i++) {
        altered[below(bytes.length)] = random() < 0.5 ? interesting[below(interesting.length)]! : below(256);
      }
      return altered;
  }
}

/** One value of a JSON document replaced. */
function mutatedJson(value: unknown, random: () => number): unknown {
  const others = [null, 0, -1, 1e300, 1.5, '', 'text', [], {}, true, ['a'], { kind: 'flat' }];
  const other = () => others[Math.floor(random() * others.length)];
  if (typeof value !== 'object' || value === null) return other();
  const keys = Object.keys(value);
  if (keys.length === 0 || random() < 0.08) return other();
  const key = keys[Math.floor(random() * keys.length)]!;
  if (random() < 0.08) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  const next = mutatedJson((value as Record<string, unknown>)[key], random);
  return Array.isArray(value) ? value.map((each, i) => (String(i) === key ? next : each)) : { ...value, [key]: next };
}

/** Tries so many altered files; counts how many were opened in spite of it. */
export async function tryHostileFiles(damaged: Damaged, count: number, seed: number): Promise<{ opened: number }> {
  const generation = join(damaged.directory, 'gen-000001');
  const manifest = await readManifest(generation);
  const manifestText = damaged.bytesOf('gen-000001/manifest.json');
  let opened = 0;
  for (let execution = 0; execution < count; execution++) {
    const random = seeded(seed + execution);
    const name = execution % 3 === 0 ? undefined : packed[Math.floor(random() * packed.length)]!;
    const whole = name === undefined ? undefined : damaged.bytesOf(`gen-000001/${name}`);
    let next: unknown = manifest;
    if (name === undefined || whole === undefined) next = mutatedJson(manifest, random);
    else {
      const bytes = mutated(whole, random);
      writeFileSync(join(generation, name), bytes);
      const stamp = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
      next = { ...manifest, files: { ...manifest.files, [name]: stamp } };
    }
    writeFileSync(join(generation, 'manifest.json'), stamped(next));
    const what = `execution ${execution}, ${name ?? `manifest ${JSON.stringify(next).slice(0, 3000)}`}`;
    try {
      if (await use(damaged.directory)) opened++;
    } catch (error) {
      expect(error instanceof NighError && error.code !== 'INTERNAL', `${what}: ${(error as Error).stack}`).toBe(true);
    } finally {
      if (name !== undefined && whole !== undefined) writeFileSync(join(generation, name), whole);
      writeFileSync(join(generation, 'manifest.json'), manifestText);
    }
  }
  return { opened };
}

function stamped(manifest: unknown): string {
  const checksum = createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
  return JSON.stringify({ ...(manifest as Manifest), checksum });
}

/** Opens and asks everything; an error of ours from one question does not keep the next from being asked. */
async function use(directory: string): Promise<boolean> {
  await using world = await Retriever.open(directory);
  const questions: (() => unknown)[] = [
    ...['cf', 'text', 'words'].map((space) => () => world.similarItems('river-0', { space, k: 5 })),
    () => world.recommend('user-1-2', { k: 5 }),
    () => world.recommendFor([{ item: 'river-3' }, { item: 'opera-1' }], { k: 5 }),
    () => world.query({ text: 'desert story', k: 5 }),
    () => world.similarItems('river-0', { k: 3, where: 'year >= 1995' }),
    () => world.similarUsers('user-0-1', { k: 3 }),
    () => world.findItems('the opera', { limit: 3 }),
    () => world.item('desert-2'),
    () => JSON.stringify(world.info),
  ];
  for (const question of questions) {
    try {
      await question();
    } catch (error) {
      if (!(error instanceof NighError) || error.code === 'INTERNAL') throw error;
    }
  }
  return true;
}
