import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Damaged, flipped } from './damage.js';
import { tryHostileFiles } from './hostile-files.js';

/** So many places of every file; damage.long.test.ts has all of them. */
const flips = 10;
const cuts = 4;

describe('a collection of which one file', () => {
  const damaged = new Damaged();
  beforeAll(() => damaged.prepare());
  afterAll(() => damaged.remove());

  it('has one bit flipped, in any region of any file, is refused or answers right', async () => {
    for (const file of damaged.files()) {
      const bytes = damaged.bytesOf(file);
      for (let i = 0; i < flips; i++) {
        const at = Math.floor(((i + 0.37) / flips) * bytes.length);
        await damaged.expectHarmless(file, flipped(bytes, at), `${file} at ${at}`);
      }
    }
    expect(damaged.counts.refused).toBeGreaterThan(damaged.counts.right);
  });

  it('is cut at any length, or longer than it was, is refused or answers right', async () => {
    for (const file of damaged.files()) {
      const bytes = damaged.bytesOf(file);
      for (let i = 0; i < cuts; i++) {
        const length = Math.floor((i / cuts) * bytes.length);
        await damaged.expectHarmless(file, bytes.subarray(0, length), `${file} cut to ${length}`);
      }
      await damaged.expectHarmless(file, bytes.subarray(0, -1), `${file} without its last byte`);
      await damaged.expectHarmless(file, Buffer.concat([bytes, Buffer.from('\0')]), `${file} and a byte`);
    }
  });

  it('was altered and given a right checksum gives an error of ours or answers, whatever it holds', async () => {
    const { opened } = await tryHostileFiles(damaged, 300, 1);
    expect(opened).toBeGreaterThan(10);
  });
});
