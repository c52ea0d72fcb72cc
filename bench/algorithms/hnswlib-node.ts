import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import hnswlib from 'hnswlib-node';
import type { Algorithm } from './algorithm.js';

const spaces = { l2: 'l2', ip: 'ip', cosine: 'cosine' } as const;

/** The peer as its users call it: `number[]` in, objects out, one thread. */
export function hnswlibNode(M: number, efConstruction: number): Algorithm {
  return {
    name: `hnswlib-node M=${M}`,
    parameters: `M ${M}, efConstruction ${efConstruction}`,
    async build({ base, metric }) {
      const index = new hnswlib.HierarchicalNSW(spaces[metric], base.dim);
      index.initIndex(base.rows, M, efConstruction, 42);
      for (let r = 0; r < base.rows; r++) {
        index.addPoint(Array.from(base.data.subarray(r * base.dim, (r + 1) * base.dim)), r);
      }
      return {
        setEffort: (effort) => index.setEf(effort),
        query: (vector, k) => index.searchKnn(Array.from(vector), k).neighbors,
        async fileBytes() {
          const folder = await mkdtemp(join(tmpdir(), 'nigh-bench-'));
          try {
            const path = join(folder, 'index.bin');
            await index.writeIndex(path);
            return (await stat(path)).size;
          } finally {
            await rm(folder, { recursive: true });
          }
        },
        close: () => undefined,
      };
    },
  };
}
