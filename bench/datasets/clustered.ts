import type { BenchDatasetSource } from './dataset.js';
import { Random } from './random.js';

const rows = 1_000_000;
const queries = 10_000;
const dim = 128;
const clusters = 10_000;
const intrinsic = 16;
const seed = 20_240_503;
const scale = 32;
const noise = 2;

/**
 * Rows as a local image descriptor has them, without being one: many clusters, each thin. A row is
 *
 *     max(0, centre + B·u + noise·v)
 *
 * with a centre of its cluster (N(0, 32²) in each of 128 coordinates), one 128 × 16 matrix B for all (N(0, 32²/16)), u of 16 and v of 128
 * coordinates N(0, 1), noise 2. So rows of a cluster differ in about 16 directions, and half of the coordinates are zero. Queries
 * follow the same law and are no rows.
 */
export const clustered: BenchDatasetSource = {
  name: 'clustered-1m-128',
  about:
    `${rows.toLocaleString('en')} × ${dim}: ${clusters.toLocaleString('en')} clusters, about ${intrinsic} dimensions in each, ` +
    `clipped at zero; seed ${seed}`,
  metric: 'l2',
  dim,
  version: 1,
  make() {
    const random = new Random(seed);
    const centres = Float32Array.from({ length: clusters * dim }, () => scale * random.normal());
    const directions = Float32Array.from({ length: intrinsic * dim }, () => (scale / 4) * random.normal());
    const draw = (count: number) => drawRows(count, centres, directions, random);
    return Promise.resolve({ base: draw(rows), queries: draw(queries) });
  },
};

function drawRows(count: number, centres: Float32Array, directions: Float32Array, random: Random): Float32Array {
  const out = new Float32Array(count * dim);
  const row = new Float64Array(dim);
  for (let r = 0; r < count; r++) {
    const centre = random.below(clusters) * dim;
    for (let d = 0; d < dim; d++) row[d] = centres[centre + d]! + noise * random.normal();
    for (let i = 0; i < intrinsic; i++) {
      const share = random.normal();
      for (let d = 0; d < dim; d++) row[d] = row[d]! + share * directions[i * dim + d]!;
    }
    for (let d = 0; d < dim; d++) out[r * dim + d] = Math.max(0, row[d]!);
  }
  return out;
}
