import type { BenchDatasetSource } from './dataset.js';
import { Random } from './random.js';

const dim = 16;

/** A second's worth of random rows: to see that a benchmark runs, not to measure anything. */
export const tiny: BenchDatasetSource = {
  name: 'tiny',
  about: '2,000 random rows × 16, to try the benchmarks out',
  metric: 'l2',
  dim,
  version: 1,
  make() {
    const random = new Random(1);
    const draw = (rows: number) => Float32Array.from({ length: rows * dim }, () => random.normal());
    return Promise.resolve({ base: draw(2000), queries: draw(200) });
  },
};
