/** What the other commands than the comparison run on: a dataset and our index of it, built in this process. */
import { HnswIndex } from 'nigh/index';
import { type BenchDataset, loadDataset } from '../datasets/dataset.js';
import { findDataset } from '../datasets/registry.js';
import { type BenchOptions, defaultDataset, UsageError } from '../options.js';
import { say } from '../report/say.js';

export const k = 10;

export async function loadOne({ datasets, queries, rows }: BenchOptions): Promise<BenchDataset> {
  const [wanted = { name: defaultDataset }, ...others] = datasets;
  if (others.length > 0) throw new UsageError('this takes one dataset');
  const dataset = await loadDataset(await findDataset(wanted), { queries, rows });
  say(`${dataset.name}: ${dataset.base.rows} × ${dataset.base.dim}, ${dataset.metric}`);
  return dataset;
}

export async function buildOurs({ base, metric }: BenchDataset): Promise<HnswIndex> {
  say('building');
  return HnswIndex.build(base, { metric });
}
