import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FlatIndex,
  HnswIndex,
  IdSet,
  NighError,
  openIndex,
  type QuantizationName,
  type SearchOptions,
} from 'nigh/index';
import type { Algorithm, AlgorithmSpec, Opened } from './algorithm.js';
import { BuildParameters } from './build-parameters.js';
import { installedVersion, packageFolder } from './installed.js';
import { timedBuild } from './timed-build.js';

const quantizations = ['none', 'f16', 'sq8'] as const satisfies readonly QuantizationName[];

/** Ours, through `searchSync` with typed arrays. */
export function nighHnsw(spec: AlgorithmSpec): Algorithm {
  const parameters = new BuildParameters(spec);
  const M = parameters.count('M');
  const efConstruction = parameters.count('efConstruction');
  const quantization = parameters.choice('quantization', quantizations);
  parameters.refuseOthers();
  return {
    name: spec.label ?? 'nigh hnsw',
    parameters: `M ${M ?? 'default'}, efConstruction ${efConstruction ?? 'default'}, quantization ${quantization ?? 'default'}`,
    effort: 'efSearch',
    leastEffort: () => 1,
    buildsInParallel: true,
    ...ours,
    async build({ base, metric }, path, threads) {
      const options = { M, efConstruction, quantization, metric, threads };
      const { built, time } = await timedBuild(() => HnswIndex.build(base, options));
      await built.save(path);
      built.close();
      return time;
    },
  };
}

/** Ours, exact. */
export function nighFlat(spec: AlgorithmSpec): Algorithm {
  new BuildParameters(spec).refuseOthers();
  return {
    name: spec.label ?? 'nigh flat',
    parameters: '',
    effort: undefined,
    leastEffort: () => 1,
    buildsInParallel: false,
    ...ours,
    async build({ base, metric }, path) {
      const { built, time } = await timedBuild(() => FlatIndex.build(base, { metric }));
      await built.save(path);
      built.close();
      return time;
    },
  };
}

const ours = {
  ours: true,
  openModes: ['memory', 'mapped'],
  version: () => installedVersion('nigh'),
  fingerprint: () => compiledCore(),
  async open(_, path, how = 'memory') {
    const index = await openIndex(path, { mode: how === 'mapped' ? 'mmap' : 'memory' });
    if (index instanceof HnswIndex || index instanceof FlatIndex) return opened(index as HnswIndex | FlatIndex);
    throw new Error(`${path} holds neither an HnswIndex nor a FlatIndex`);
  },
} as const satisfies Partial<Algorithm>;

let core: string | undefined;

/** Digest of the compiled core: an index that another one built is another index. */
function compiledCore(): string {
  if (core === undefined) {
    const folder = join(packageFolder('nigh'), 'build', 'Release');
    const addons = readdirSync(folder).filter((name) => name.endsWith('.node'));
    const hash = createHash('sha256');
    for (const name of addons.sort()) hash.update(readFileSync(join(folder, name)));
    core = hash.digest('hex');
  }
  return core;
}

function opened(index: HnswIndex | FlatIndex): Opened {
  const graph = index instanceof HnswIndex;
  let filter: IdSet | undefined;
  let settings: SearchOptions = {};
  let efSearch: number | undefined;
  const set = () => {
    settings = { ...(efSearch === undefined ? {} : { efSearch }), ...(filter === undefined ? {} : { filter }) };
  };
  return {
    setEffort(effort) {
      efSearch = graph ? effort : undefined;
      set();
    },
    setFilter(ids) {
      filter = ids && IdSet.allow(ids);
      set();
    },
    query: (vector, k) => index.searchSync(vector, k, settings).ids,
    queryAsync: async (vector, k) => (await index.search(vector, k, settings)).ids,
    async queryBatch(queries, k, threads) {
      await index.searchBatch(queries, k, { ...settings, threads });
    },
    counts: (vector, k) => index.searchSync(vector, k, settings).stats,
    ...(graph && knowsRecall(index)
      ? { queryForRecall: (vector, k, recall) => index.searchSync(vector, k, { recall }).ids }
      : {}),
    close: () => index.close(),
  };
}

/** Whether this index takes `recall`: one without a measured curve does not. */
function knowsRecall(index: HnswIndex): boolean {
  try {
    index.searchSync(new Float32Array(index.dim).fill(1), 1, { recall: 0.9 });
    return true;
  } catch (error) {
    if (error instanceof NighError) return false;
    throw error;
  }
}
