import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HnswBuildOptions, HnswIndex } from 'nigh/index';
import type { Algorithm } from './algorithm.js';

/** Ours, through `searchSync` with typed arrays. */
export function nighHnsw(options: Omit<HnswBuildOptions, 'metric'>): Algorithm {
  const { M = 'default', quantization = 'default', efConstruction = 'default' } = options;
  return {
    name: `nigh hnsw ${quantization} M=${M}`,
    parameters: `M ${M}, efConstruction ${efConstruction}, quantization ${quantization}`,
    async build({ base, metric }) {
      const index = await HnswIndex.build(base, { ...options, metric });
      let efSearch = 64;
      return {
        setEffort(effort) {
          efSearch = effort;
        },
        query: (vector, k) => index.searchSync(vector, k, { efSearch }).ids,
        async fileBytes() {
          const folder = await mkdtemp(join(tmpdir(), 'nigh-bench-'));
          try {
            const path = join(folder, 'index.ann');
            await index.save(path);
            return (await stat(path)).size;
          } finally {
            await rm(folder, { recursive: true });
          }
        },
        close: () => index.close(),
      };
    },
  };
}
