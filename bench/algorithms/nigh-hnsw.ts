import { type HnswBuildOptions, HnswIndex, NighError, openIndex, type SearchOptions } from 'nigh/index';
import type { Algorithm, Opened } from './algorithm.js';
import { installedVersion } from './installed.js';

/** Ours, through `searchSync` with typed arrays. */
export function nighHnsw(options: Omit<HnswBuildOptions, 'metric' | 'threads'>): Algorithm {
  const { M = 'default', quantization = 'default', efConstruction = 'default' } = options;
  return {
    engine: 'nigh',
    name: M === 'default' && quantization === 'default' ? 'nigh (defaults)' : `nigh M=${M}`,
    parameters: `M ${M}, efConstruction ${efConstruction}, quantization ${quantization}`,
    ours: true,
    leastEffort: () => 1,
    buildsInParallel: true,
    openModes: ['memory', 'mapped'],
    version: () => installedVersion('nigh'),
    async build({ base, metric }, path, threads) {
      const began = performance.now();
      const index = await HnswIndex.build(base, { ...options, metric, threads });
      const seconds = (performance.now() - began) / 1000;
      await index.save(path);
      index.close();
      return { seconds };
    },
    async open(_, path, how = 'memory') {
      const index = await openIndex(path, { mode: how === 'mapped' ? 'mmap' : 'memory' });
      if (!(index instanceof HnswIndex)) throw new Error(`${path} holds no HnswIndex`);
      return opened(index);
    },
  };
}

function opened(index: HnswIndex): Opened {
  let efSearch = index.efSearch;
  return {
    setEffort(effort) {
      efSearch = effort;
    },
    query: (vector, k) => index.searchSync(vector, k, { efSearch }).ids,
    queryAsync: async (vector, k) => (await index.search(vector, k, { efSearch })).ids,
    async queryBatch(queries, k, threads) {
      await index.searchBatch(queries, k, { efSearch, threads });
    },
    ...(knowsRecall(index) ? { queryForRecall: (vector, k, recall) => searchForRecall(index, vector, k, recall) } : {}),
    close: () => index.close(),
  };
}

/** Whether `recall` is an option of a search in the version under test. */
function knowsRecall(index: HnswIndex): boolean {
  try {
    searchForRecall(index, new Float32Array(index.dim).fill(1), 1, 0.9);
    return true;
  } catch (error) {
    if (error instanceof NighError && error.code === 'UNKNOWN_OPTION') return false;
    throw error;
  }
}

function searchForRecall(index: HnswIndex, vector: Float32Array, k: number, recall: number): Uint32Array {
  // Versions that do not know it have no such key in the type either.
  const options: SearchOptions & { readonly recall: number } = { recall };
  return index.searchSync(vector, k, options).ids;
}
