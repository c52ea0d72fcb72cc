import { clustered } from './clustered.js';
import type { BenchDatasetSource, PeerMetric } from './dataset.js';
import { movieLens, npmGraph } from './factors.js';
import { fashionMnist } from './fashion-mnist.js';
import { fileDataset, isFileOrAddress } from './file.js';
import { glove } from './glove.js';
import { heavyTail, unevenLengths } from './inner-product.js';
import { mnist } from './mnist.js';
import { sift } from './sift.js';
import { tiny } from './tiny.js';

/** Every dataset that `npm run bench` knows, by name. */
export const datasets: ReadonlyMap<string, BenchDatasetSource> = new Map(
  [glove, mnist, fashionMnist, npmGraph, movieLens, clustered, unevenLengths, heavyTail, sift, tiny].map((source) => [
    source.name,
    source,
  ]),
);

/** A dataset of a grid or a command: a name of those, a file or an address. */
export interface DatasetReference {
  readonly name: string;
  /** Of a file; a dataset by name has its own. */
  readonly metric?: PeerMetric | undefined;
}

/** @throws Error for a name that is none, and as fileDataset */
export async function findDataset({ name, metric }: DatasetReference): Promise<BenchDatasetSource> {
  const known = datasets.get(name);
  if (known !== undefined) return known;
  if (isFileOrAddress(name)) return fileDataset(name, metric);
  throw new Error(`unknown dataset ${name}; known: ${[...datasets.keys()].join(', ')}, or a file of vectors`);
}
