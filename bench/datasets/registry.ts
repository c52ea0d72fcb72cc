import type { BenchDatasetSource } from './dataset.js';
import { glove } from './glove.js';
import { heavyTail, unevenLengths } from './inner-product.js';

/** Every dataset that `npm run bench` knows, by name. */
export const datasets: ReadonlyMap<string, BenchDatasetSource> = new Map(
  [glove, unevenLengths, heavyTail].map((source) => [source.name, source]),
);
