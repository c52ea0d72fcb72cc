import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchDatasetSource } from './dataset.js';

const dim = 128;
const queries = 500;

export const sift: BenchDatasetSource = {
  name: 'sift-5k',
  about: `SIFT descriptors from NIGH_DATA, every tenth a query (${queries})`,
  metric: 'l2',
  dim,
  version: 1,
  async make() {
    const folder = process.env.NIGH_DATA;
    if (!folder) throw new Error('sift-5k is not downloaded: set NIGH_DATA to the folder that holds sift-5k.');
    const lines = (await readFile(join(folder, 'sift-5k', 'sift-dataset-5k.tsv'), 'utf8')).trimEnd().split('\n');
    const vectors = lines.map((line, i) => {
      const cells = line.split('\t').map(Number);
      // The last column is an id.
      if (cells.length !== dim + 1 || cells.some(Number.isNaN)) throw new Error(`line ${i + 1} is no SIFT descriptor`);
      return cells.slice(0, dim);
    });
    const pack = (kept: readonly number[][]) => Float32Array.from(kept.flat());
    return {
      base: pack(vectors.filter((_, i) => i % 10 !== 0)),
      queries: pack(vectors.filter((_, i) => i % 10 === 0)),
    };
  },
};
