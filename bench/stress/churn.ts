/**
 *     npm run bench -- churn [dataset]
 *
 * Half of the rows are deleted and put in again, in an order that a seed decides: the recall of the index afterwards beside that of a
 * fresh build over the same rows.
 */
import type { HnswIndex } from 'nigh/index';
import { queryVectors } from '../compare/curves.js';
import { pickRows, shuffledOrder } from '../datasets/random.js';
import { recallByDistance } from '../measures.js';
import { type BenchOptions, UsageError } from '../options.js';
import { say } from '../report/say.js';
import { textTable } from '../report/text-table.js';
import { groundTruth } from '../truth.js';
import { buildOurs, k, loadOne } from './subject.js';

const efforts = [16, 32, 64, 128, 256];
const seed = 20_240_504;

/** An index that can forget rows; versions that cannot lack the method. */
interface Removing {
  remove(ids: Uint32Array): Promise<number>;
}

export async function churn(options: BenchOptions): Promise<void> {
  const dataset = await loadOne(options);
  const { base } = dataset;
  const truth = await groundTruth(dataset, k);
  const fresh = await buildOurs(dataset);
  if (!canRemove(fresh)) throw new UsageError('this version of nigh cannot remove rows from an HnswIndex');
  const used = await buildOurs(dataset);
  const ids = shuffledOrder(base.rows, seed).slice(0, Math.floor(base.rows / 2));
  say(`removing ${ids.length} rows`);
  await (used as HnswIndex & Removing).remove(ids);
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
  const rows = efforts.map((efSearch) => {
    const [before, after] = [recall(fresh, efSearch), recall(used, efSearch)];
    return [String(efSearch), before.toFixed(4), after.toFixed(4), (after - before).toFixed(4)];
  });
  process.stdout.write(`\n${textTable(['efSearch', 'fresh', 'refilled', 'difference'], rows)}`);
  fresh.close();
  used.close();
}

function canRemove(index: HnswIndex): index is HnswIndex & Removing {
  return 'remove' in index && typeof index.remove === 'function';
}
