import hnswlib from 'hnswlib-node';
import { rowOf } from '../datasets/dataset.js';
import type { Algorithm } from './algorithm.js';
import { installedVersion } from './installed.js';

const spaces = { l2: 'l2', ip: 'ip', cosine: 'cosine' } as const;

/** The peer as its users call it: `number[]` in, objects out, one thread. */
export function hnswlibNode(M: number, efConstruction: number): Algorithm {
  return {
    engine: 'hnswlib-node',
    name: `hnswlib-node M=${M}`,
    parameters: `M ${M}, efConstruction ${efConstruction}`,
    ours: false,
    leastEffort: (k) => k,
    buildsInParallel: false,
    openModes: ['memory'],
    version: () => installedVersion('hnswlib-node'),
    async build({ base, metric }, path) {
      const index = new hnswlib.HierarchicalNSW(spaces[metric], base.dim);
      const began = performance.now();
      index.initIndex(base.rows, M, efConstruction, 42);
      for (let r = 0; r < base.rows; r++) index.addPoint(Array.from(rowOf(base, r)), r);
      const seconds = (performance.now() - began) / 1000;
      await index.writeIndex(path);
      return { seconds };
    },
    async open({ base, metric }, path) {
      const index = new hnswlib.HierarchicalNSW(spaces[metric], base.dim);
      await index.readIndex(path);
      return {
        setEffort: (effort) => index.setEf(effort),
        query: (vector, k) => index.searchKnn(Array.from(vector), k).neighbors,
        close: () => undefined,
      };
    },
  };
}
