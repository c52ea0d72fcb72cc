/** Whether a table of vectors answers as the collection's own index does, and how much effort its graph takes for that. */
import { NighError } from '../core/errors.js';
import { IdSet } from '../index/id-set.js';
import type { ProductMetricName, VectorIndex } from '../index/vector-index.js';
import { rowRecall } from '../retrieval/measure-recall.js';
import { sampleRows } from '../retrieval/sample-rows.js';
import type { Database } from './database.js';
import type { PushedIndex } from './layout.js';
import { PgVectorIndex } from './pg-vector-index.js';

const queries = 100;
const k = 10;
/** Pool sizes at which a graph is measured, until one finds everything. */
const pools = [20, 40, 64, 100, 160, 250, 400, 640, 1000];

export interface MeasureOptions {
  readonly database: Database;
  readonly table: string;
  readonly metric: ProductMetricName;
  /** What was pushed. */
  readonly index: VectorIndex;
  /** The users whose vectors ask; without them the rows of the index do, each for its neighbours. */
  readonly users: VectorIndex | undefined;
  readonly recallFloor: number;
  /** What the collection's own graph reaches. */
  readonly ownRecall: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Exact answers, which must be the same, then those of the graph, at growing efforts until they are as good as the collection's own.
 * @throws NighError RECALL_FLOOR
 */
export async function measurePushed({
  database,
  table,
  metric,
  index,
  users,
  recallFloor,
  ownRecall,
  signal,
}: MeasureOptions): Promise<{ readonly recallAt10: number; readonly queries: number } & PushedIndex> {
  using pushed = await PgVectorIndex.open({ connection: database, table, metric });
  if (pushed.size !== index.size) {
    throw new NighError('RECALL_FLOOR', `${table}: expected ${index.size} rows, the database has ${pushed.size}.`);
  }
  const asking = users ?? index;
  const from = asking.size === 0 ? new Uint32Array() : await idsOf(asking, signal);
  const chosen = Array.from(sampleRows(from.length, queries, 3), (row) => from[row]!);
  const asked = chosen
    .map((id) => ({ id, query: asking.vector(id)! }))
    .filter(({ query }) => query.some((value) => value !== 0));
  const own = (id: number) => (users !== undefined ? undefined : id);
  const recallAt = async (some: typeof asked, options: { exact: true } | { efSearch: number }) => {
    let sum = 0;
    for (const { id, query } of some) {
      const filter = own(id) === undefined ? {} : { filter: IdSet.deny([id]) };
      const truth = await index.search(query, k, { exact: true, ...filter, signal });
      // The item itself is asked for too and dropped, as questions do.
      const wanted = own(id) === undefined ? k : k + 1;
      const found = await pushed.search(query, wanted, { ...options, signal });
      sum += rowRecall(Array.from(truth.distances), ownDropped(found, own(id)).slice(0, k), k);
    }
    return some.length === 0 ? 1 : sum / some.length;
  };
  const exact = await recallAt(asked.slice(0, 20), { exact: true });
  if (exact < 1) {
    throw new NighError(
      'RECALL_FLOOR',
      `${table}: exact answers differ from the collection's own: recall ${exact.toFixed(4)}.`,
    );
  }
  if (pushed.capabilities.exact) return { recallAt10: 1, queries: asked.length, efSearch: 64, efforts: [] };
  const efforts: { efSearch: number; recall: number }[] = [];
  const wanted = Math.max(recallFloor, Math.min(0.995, ownRecall));
  for (const efSearch of pools) {
    const recall = await recallAt(asked, { efSearch });
    // What more effort found less of was chance.
    efforts.push({ efSearch, recall: Math.max(recall, efforts.at(-1)?.recall ?? 0) });
    if (recall >= 0.999) break;
  }
  const last = efforts.at(-1)!;
  // Where none is as good as wanted, the least that is about as good as the best.
  const enough = Math.min(wanted, last.recall - 0.002);
  const { efSearch, recall } = efforts.find((effort) => effort.recall >= enough) ?? last;
  if (recall < recallFloor) {
    throw new NighError(
      'RECALL_FLOOR',
      `${table}: recall@10 is ${recall.toFixed(3)} at the largest effort, the recipe's floor ${recallFloor}; more links (m) or a larger pool while it is built (efConstruction) find more.`,
    );
  }
  return { recallAt10: recall, queries: asked.length, efSearch, efforts };
}

function ownDropped(
  { ids, distances }: { readonly ids: Uint32Array; readonly distances: Float32Array },
  own: number | undefined,
): number[] {
  return Array.from(distances).filter((_, at) => ids[at] !== own);
}

/** Every id that an index holds, ascending. */
export async function idsOf(index: VectorIndex, signal: AbortSignal | undefined): Promise<Uint32Array> {
  if (index.size === 0) return new Uint32Array();
  const anything = Float32Array.from({ length: index.dim }, (_, i) => (i === 0 ? 1 : 0));
  return (await index.search(anything, index.size, { exact: true, signal })).ids.sort();
}
