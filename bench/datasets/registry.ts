import { clustered } from './clustered.js';
import type { BenchDatasetSource } from './dataset.js';
import { fashionMnist } from './fashion-mnist.js';
import { glove } from './glove.js';
import { heavyTail, unevenLengths } from './inner-product.js';
import { mnist } from './mnist.js';
import { sift } from './sift.js';
import { tiny } from './tiny.js';

/** Every dataset that `npm run bench` knows, by name. */
export const datasets: ReadonlyMap<string, BenchDatasetSource> = new Map(
  [glove, mnist, fashionMnist, clustered, unevenLengths, heavyTail, sift, tiny].map((source) => [source.name, source]),
);
