import type { BenchDataset, BenchDatasetSource } from './dataset.js';
import { Random } from './random.js';

const dim = 64;
const clusters = 1_000;
const spread = 0.7;

/** Lengths of the rows: log-normal with σ = 0.5, or Pareto with exponent 1.5, whose longest rows are far out. */
type LengthLaw = 'log-normal' | 'pareto';

/**
 * Factors of uneven length, as matrix factorisation leaves them: directions from 1,000 Gaussian clusters (centres N(0, 1) in each
 * of 64 coordinates, rows centre + 0.7 · N(0, 1)), scaled to a random length. Queries have length 1.
 */
function innerProduct(name: string, law: LengthLaw): BenchDatasetSource {
  return {
    name,
    async load({ queries, rows = 200_000 }) {
      const random = new Random(7);
      const centres = Float32Array.from({ length: clusters * dim }, () => random.normal());
      const lengths = {
        'log-normal': () => Math.exp(0.5 * random.normal()),
        pareto: () => (1 - random.uniform()) ** (-1 / 1.5),
      };
      return {
        name,
        about: `${rows.toLocaleString('en')} × ${dim}, ${clusters} clusters, spread ${spread}, ${law} lengths, seed 7`,
        metric: 'ip',
        base: { data: generate(rows, centres, random, lengths[law]), rows, dim },
        queries: { data: generate(queries, centres, random, () => 1), rows: queries, dim },
      } satisfies BenchDataset;
    },
  };
}

function generate(rows: number, centres: Float32Array, random: Random, nextLength: () => number): Float32Array {
  const out = new Float32Array(rows * dim);
  for (let r = 0; r < rows; r++) {
    const centre = random.below(clusters) * dim;
    let squares = 0;
    for (let d = 0; d < dim; d++) {
      const value = centres[centre + d]! + spread * random.normal();
      out[r * dim + d] = value;
      squares += value * value;
    }
    const scale = nextLength() / Math.sqrt(squares);
    for (let d = 0; d < dim; d++) out[r * dim + d] = out[r * dim + d]! * scale;
  }
  return out;
}

export const unevenLengths = innerProduct('ip-log-normal', 'log-normal');
export const heavyTail = innerProduct('ip-pareto', 'pareto');
