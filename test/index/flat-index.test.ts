import { describe, expect, it } from 'vitest';
import { FlatIndex } from '../../src/index/flat-index.js';

const rows = 4000;
const dim = 24;
const data = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i * 1.7) + Math.cos(i * 0.013));

describe('FlatIndex.build', () => {
  it('keeps codes unless told not to: a quarter more memory, the same answers to the bit', async () => {
    const coded = await FlatIndex.build({ data, rows, dim }, { metric: 'l2' });
    const plain = await FlatIndex.build({ data, rows, dim }, { metric: 'l2', quantization: 'none' });
    expect(coded.memoryBytes / plain.memoryBytes).toBeGreaterThan(1.25);
    expect(coded.memoryBytes / plain.memoryBytes).toBeLessThan(1.4);
    for (let q = 0; q < 20; q++) {
      const query = data.slice(q * dim, (q + 1) * dim).map((value) => value + 0.1);
      expect(await coded.search(query, 10)).toEqual(await plain.search(query, 10));
    }
  });

  it('refuses a quantization that does not exist', async () => {
    await expect(
      FlatIndex.build({ data, rows, dim }, { metric: 'l2', quantization: 'sq4' as 'sq8' }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
