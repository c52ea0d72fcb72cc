/**
 *     npm run bench -- churn [dataset]
 *
 * Half of the rows are deleted and put in again, in an order that a seed decides: the recall of the index afterwards beside that of a
 * fresh build over the same rows.
 */
import type { HnswIndex } from 'nigh/index';
import { type BenchDataset, queryVectors } from '../datasets/dataset.js';
import { pickRows, shuffledOrder } from '../datasets/random.js';
import { recallByDistance } from '../measures.js';
import type { BenchOptions } from '../options.js';
import { say } from '../report/say.js';
import { textTable } from '../report/text-table.js';
import { groundTruth } from '../truth.js';
import { buildOurs, k, loadOne } from './subject.js';

const efforts = [16, 32, 64, 128, 256];
const seed = 20_240_504;

export interface Refilled {
  readonly effort: number;
  readonly fresh: number;
  readonly refilled: number;
}

export async function churn(options: BenchOptions): Promise<void> {
  const dataset = await loadOne(options);
  const rows = (await measureRefilled(dataset)).map(({ effort, fresh, refilled }) => [
    String(effort),
    fresh.toFixed(4),
    refilled.toFixed(4),
    (refilled - fresh).toFixed(4),
  ]);
  process.stdout.write(`\n${textTable(['efSearch', 'fresh', 'refilled', 'difference'], rows)}`);
}

/** Recall at every effort of a fresh index and of one that was half emptied and filled again. */
export async function measureRefilled(dataset: BenchDataset): Promise<Refilled[]> {
  const { base } = dataset;
  const truth = await groundTruth(dataset, k);
  const fresh = await buildOurs(dataset);
  const used = await buildOurs(dataset);
  const ids = shuffledOrder(base.rows, seed).slice(0, Math.floor(base.rows / 2));
  say(`removing ${ids.length} rows`);
  await used.remove(ids);
  say('putting them in again');
  await used.add({ data: pickRows(base.data, base.dim, ids), rows: ids.length, dim: base.dim }, ids);
  const vectors = queryVectors(dataset);
  const recall = (index: HnswIndex, efSearch: number) =>
    recallByDistance(
      vectors.map((vector) => index.searchSync(vector, k, { efSearch }).ids),
      truth,
      dataset,
      k,
    );
  const found = efforts.map((effort) => ({ effort, fresh: recall(fresh, effort), refilled: recall(used, effort) }));
  fresh.close();
  used.close();
  return found;
}
