/** Every byte of every file of a small collection, and every length: damage.test.ts tries some. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Damaged, flipped } from './damage.js';

describe('a collection of which one file', () => {
  const damaged = new Damaged();
  beforeAll(() => damaged.prepare());
  afterAll(() => {
    const { tried, refused, right } = damaged.counts;
    console.log(`damaged collections: ${tried} opened, ${refused} refused, ${right} answered right`);
    damaged.remove();
  });

  it('has one bit of any of its bytes flipped is refused or answers right', async () => {
    for (const file of damaged.files()) {
      const bytes = damaged.bytesOf(file);
      for (let at = 0; at < bytes.length; at++) {
        await damaged.expectHarmless(file, flipped(bytes, at), `${file} at ${at}`);
      }
    }
    expect(damaged.counts.refused).toBeGreaterThan(damaged.counts.right);
  });

  it('is cut at every seventh length is refused or answers right', async () => {
    for (const file of damaged.files()) {
      const bytes = damaged.bytesOf(file);
      for (let length = 0; length < bytes.length; length += 7) {
        await damaged.expectHarmless(file, bytes.subarray(0, length), `${file} cut to ${length}`);
      }
    }
  });
});
