import { describe, expect, test } from 'vitest';
import { simd } from '../../src/binding/simd.js';
import { runProgram } from './run-program.js';

describe('instruction sets', () => {
  test('the level in force is one of those available, and scalar is always there', () => {
    const { level, available } = simd();
    expect(available).toContain(level);
    expect(available).toContain('scalar');
  });

  test('every level that this machine has gives the same neighbours at the same distances', async () => {
    const answers = new Map<string, Record<string, { ids: number[]; distances: number[] }>>();
    for (const wanted of simd().available) {
      const { code, stdout, stderr } = await runProgram('neighbours.mjs', { NIGH_SIMD: wanted });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const { level, ...found } = JSON.parse(stdout);
      expect(level).toBe(wanted);
      answers.set(wanted, found);
    }
    const scalar = answers.get('scalar') ?? {};
    expect(Object.keys(scalar)).toHaveLength(6);
    for (const [level, found] of answers) {
      for (const [name, { ids, distances }] of Object.entries(found)) {
        const truth = scalar[name];
        distances.forEach((distance, at) => {
          expect(Math.abs(distance - (truth?.distances[at] ?? Number.NaN)), `${level}, ${name}`).toBeLessThan(1e-5);
        });
        // Under cosine rows are rounded to unit length, so ids may change places where distances differ by rounding.
        if (!name.endsWith('cosine')) expect(ids, `${level}, ${name}`).toEqual(truth?.ids);
      }
    }
  });

  test('a level that does not exist is refused by name, and nothing crashes', async () => {
    const { code, stderr } = await runProgram('neighbours.mjs', { NIGH_SIMD: 'avx1024' });
    expect(code).toBe(1);
    expect(stderr).toContain('SIMD_UNSUPPORTED');
    expect(stderr).toContain('avx1024');
  });
});
