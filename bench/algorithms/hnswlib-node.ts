import hnswlib from 'hnswlib-node';
import { rowOf } from '../datasets/dataset.js';
import type { Algorithm, AlgorithmSpec } from './algorithm.js';
import { BuildParameters } from './build-parameters.js';
import { installedVersion } from './installed.js';
import { timedBuild } from './timed-build.js';

const spaces = { l2: 'l2', ip: 'ip', cosine: 'cosine' } as const;

/** The peer as its users call it: `number[]` in, objects out, one thread, a filter that is a function. */
export function hnswlibNode(spec: AlgorithmSpec): Algorithm {
  const parameters = new BuildParameters(spec);
  const M = parameters.count('M', 16);
  const efConstruction = parameters.count('efConstruction', 200);
  parameters.refuseOthers();
  return {
    name: spec.label ?? `hnswlib-node M=${M}`,
    parameters: `M ${M}, efConstruction ${efConstruction}`,
    ours: false,
    effort: 'ef',
    leastEffort: (k) => k,
    buildsInParallel: false,
    openModes: ['memory'],
    version: () => installedVersion('hnswlib-node'),
    async build({ base, metric }, path) {
      const index = new hnswlib.HierarchicalNSW(spaces[metric], base.dim);
      const { time } = await timedBuild(() => {
        index.initIndex(base.rows, M, efConstruction, 42);
        for (let r = 0; r < base.rows; r++) index.addPoint(Array.from(rowOf(base, r)), r);
      });
      await index.writeIndex(path);
      return time;
    },
    async open({ base, metric }, path) {
      const index = new hnswlib.HierarchicalNSW(spaces[metric], base.dim);
      await index.readIndex(path);
      let allows: ((id: number) => boolean) | undefined;
      return {
        setEffort: (effort) => index.setEf(effort),
        setFilter(ids) {
          const allowed = ids && new Set(ids);
          allows = allowed && ((id) => allowed.has(id));
        },
        query: (vector, k) => index.searchKnn(Array.from(vector), k, allows).neighbors,
        close: () => undefined,
      };
    },
  };
}
