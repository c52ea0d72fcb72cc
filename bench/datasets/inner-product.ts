import type { BenchDatasetSource } from './dataset.js';
import { Random } from './random.js';

const rows = 200_000;
const queries = 10_000;
const dim = 64;
const clusters = 1_000;
const spread = 0.7;
const seed = 7;

/** How the two datasets differ: the length of a whole row, and the strength of its last coordinates, which queries do not have. */
interface Law {
  readonly about: string;
  length(random: Random): number;
  /** Multiplies the last `traits` coordinates of a row of unit length, which in a query are zero. */
  readonly trait?: (random: Random) => number;
}

const traits = 16;

/**
 * Factors of uneven length, as matrix factorisation leaves them: directions from 1,000 Gaussian clusters (centres N(0, 1) in each
 * of 64 coordinates, rows centre + 0.7 · N(0, 1)), brought to unit length and then stretched as the law says. Queries follow the
 * same clusters and have length 1.
 *
 * `ip-log-normal` stretches whole rows. `ip-pareto` stretches the last 16 coordinates by a Pareto factor of exponent 1.5: something that
 * some items have a hundred times as much of as others and that no query asks for. Between items the product of two such rows outweighs
 * everything, so that a graph linked by raw inner products leads from every row to the same few, and a query that wants others
 * is lost. (Stretching whole rows does not do that, whatever the exponent: then the few long rows are the answers.)
 */
function innerProduct(name: string, { about, length, trait }: Law): BenchDatasetSource {
  return {
    name,
    about: `${rows.toLocaleString('en')} × ${dim}, ${clusters.toLocaleString('en')} clusters, spread ${spread}, ${about}, seed ${seed}`,
    metric: 'ip',
    dim,
    version: 2,
    make() {
      const random = new Random(seed);
      const centres = Float32Array.from({ length: clusters * dim }, () => random.normal());
      const asked = trait === undefined ? dim : dim - traits;
      const base = drawRows(rows, dim, centres, random);
      for (let r = 0; r < rows; r++) stretch(base.subarray(r * dim, (r + 1) * dim), length(random));
      if (trait !== undefined) {
        for (let r = 0; r < rows; r++) stretch(base.subarray(r * dim + asked, (r + 1) * dim), trait(random));
      }
      return Promise.resolve({ base, queries: drawRows(queries, asked, centres, random) });
    },
  };
}

/** Rows of unit length around centres; coordinates from `used` on are zero. */
function drawRows(count: number, used: number, centres: Float32Array, random: Random): Float32Array {
  const out = new Float32Array(count * dim);
  for (let r = 0; r < count; r++) {
    const centre = random.below(clusters) * dim;
    const row = out.subarray(r * dim, r * dim + used);
    let squares = 0;
    for (let d = 0; d < used; d++) {
      const value = centres[centre + d]! + spread * random.normal();
      row[d] = value;
      squares += value * value;
    }
    stretch(row, 1 / Math.sqrt(squares));
  }
  return out;
}

function stretch(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
}

export const unevenLengths = innerProduct('ip-log-normal', {
  about: 'log-normal lengths (σ = 0.5)',
  length: (random) => Math.exp(0.5 * random.normal()),
});

export const heavyTail = innerProduct('ip-pareto', {
  about: `a quarter of the coordinates with Pareto strength (exponent 1.5) and not in the queries`,
  length: () => 1,
  trait: (random) => (1 - random.uniform()) ** (-1 / 1.5),
});
