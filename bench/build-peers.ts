/**
 *     npm run bench -- build <dataset…> [--peers hnswlib-node,usearch,zvec]
 *
 * builds the peers' indexes that are not in the cache yet, and nothing else: long work that need not be part of a measured run.
 */
import { algorithm } from './algorithms/registry.js';
import { builtIndex } from './builds.js';
import { loadDataset } from './datasets/dataset.js';
import type { BenchOptions } from './options.js';
import { say } from './report/say.js';

export async function buildPeers(options: BenchOptions): Promise<void> {
  for (const source of options.datasets) {
    const dataset = await loadDataset(source, { queries: options.queries, rows: options.rows });
    for (const key of options.peers) {
      const engine = await algorithm(key);
      const built = await builtIndex(
        key,
        engine,
        dataset,
        { dataset: source.name, rows: options.rows },
        { threads: options.buildThreads[0]!, rebuild: options.rebuild, scratch: '' },
      );
      say(
        `${source.name}, ${engine.name}: ${built.earlier ? 'is there' : `built in ${built.seconds.toFixed(1)} s`}, ${built.path}`,
      );
    }
  }
}
