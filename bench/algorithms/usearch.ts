import type { PeerMetric } from '../datasets/dataset.js';
import type { Algorithm, AlgorithmSpec, OpenMode } from './algorithm.js';
import { BuildParameters } from './build-parameters.js';
import { installedVersion, requirePeer } from './installed.js';
import { timedBuild } from './timed-build.js';

/** As much of the package as is used here, so that this compiles where it is not installed. */
interface Usearch {
  readonly Index: new (config: {
    dimensions: number;
    metric: string;
    quantization: string;
    connectivity: number;
    expansion_add: number;
    expansion_search: number;
    multi: boolean;
  }) => {
    add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
    search(vectors: Float32Array, k: number, threads: number): { readonly keys: BigUint64Array };
    save(path: string): void;
    load(path: string): void;
    view(path: string): void;
  };
}

const { Index } = requirePeer('usearch') as Usearch;

const metrics: Record<PeerMetric, string> = { l2: 'l2sq', ip: 'ip', cosine: 'cos' };

const scalars = ['f32', 'f16', 'i8'] as const;

/** usearch: typed arrays in and out, keys as BigInt. */
export function usearch(spec: AlgorithmSpec): Algorithm {
  const parameters = new BuildParameters(spec);
  const connectivity = parameters.count('connectivity', 16);
  const expansionAdd = parameters.count('expansionAdd', 200);
  const quantization = parameters.choice('quantization', scalars) ?? 'f32';
  parameters.refuseOthers();
  const config = (dim: number, metric: PeerMetric, effort: number) => ({
    dimensions: dim,
    metric: metrics[metric],
    quantization,
    connectivity,
    expansion_add: expansionAdd,
    expansion_search: effort,
    multi: false,
  });
  return {
    name: spec.label ?? `usearch ${quantization} M=${connectivity}`,
    parameters: `connectivity ${connectivity}, expansion_add ${expansionAdd}, ${quantization}`,
    ours: false,
    effort: 'expansion_search',
    leastEffort: (k) => k,
    buildsInParallel: true,
    openModes: ['memory', 'mapped'],
    version: () => installedVersion('usearch'),
    async build({ base, metric }, path, threads) {
      const index = new Index(config(base.dim, metric, 64));
      const keys = BigUint64Array.from({ length: base.rows }, (_, r) => BigInt(r));
      const { time } = await timedBuild(() => index.add(keys, base.data, threads));
      index.save(path);
      return time;
    },
    open({ base, metric }, path, how = 'memory') {
      const load = (effort: number, mode: OpenMode) => {
        const index = new Index(config(base.dim, metric, effort));
        if (mode === 'mapped') index.view(path);
        else index.load(path);
        return index;
      };
      let index = load(64, how);
      // The effort is fixed when an index is made, so another one means opening again: once for each, and mapped, for opened indexes
      // give their memory back only when JavaScript's collector finds them.
      const byEffort = new Map([[64, index]]);
      return Promise.resolve({
        setEffort(effort: number) {
          index = byEffort.get(effort) ?? load(effort, 'mapped');
          byEffort.set(effort, index);
        },
        query: (vector: Float32Array, k: number) => index.search(vector, k, 1).keys,
        queryBatch: (queries: { readonly data: Float32Array }, k: number, threads: number) => {
          index.search(queries.data, k, threads);
          return Promise.resolve();
        },
        close: () => undefined,
      });
    },
  };
}
