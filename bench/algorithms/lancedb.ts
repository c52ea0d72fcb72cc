import type { PeerMetric } from '../datasets/dataset.js';
import type { Algorithm, AlgorithmSpec } from './algorithm.js';
import { BuildParameters } from './build-parameters.js';
import { installedVersion, requirePeer } from './installed.js';
import { timedBuild } from './timed-build.js';

/** As much of the packages as is used here, so that this compiles where they are not installed. */
interface Query extends PromiseLike<never> {
  nearestTo(vector: Float32Array): Query;
  ef(ef: number): Query;
  nprobes(nprobes: number): Query;
  refineFactor(factor: number): Query;
  limit(k: number): Query;
  select(columns: readonly string[]): Query;
  toArrow(): Promise<{ getChild(name: string): { toArray(): Int32Array } }>;
}
interface Table {
  createIndex(column: string, options: { config: object }): Promise<void>;
  query(): Query;
  close(): void;
}
interface Connection {
  createTable(name: string, data: object): Promise<Table>;
  openTable(name: string): Promise<Table>;
  close(): void;
}
interface LanceDb {
  connect(path: string): Promise<Connection>;
  readonly Index: { hnswSq(options: object): object; ivfFlat(options: object): object; ivfPq(options: object): object };
}
interface Arrow {
  readonly Float32: new () => object;
  readonly Int32: new () => object;
  readonly Field: new (name: string, type: object, nullable: boolean) => object;
  readonly FixedSizeList: new (size: number, field: object) => object;
  readonly Vector: new (data: readonly object[]) => object;
  readonly Table: new (columns: Record<string, object>) => object;
  makeData(data: object): object;
}

const lancedb = requirePeer('@lancedb/lancedb') as LanceDb;

const distances: Record<PeerMetric, string> = { l2: 'l2', ip: 'dot', cosine: 'cosine' };
const table = 'vectors';
/** The score is named because the engine prints a warning for every query that leaves it out. */
const columns = ['id', '_distance'];

/** LanceDB with an index of graphs over int8 codes: one partition, so one graph. The effort is `ef`; there are asynchronous queries only. */
export function lancedbHnsw(spec: AlgorithmSpec): Algorithm {
  const parameters = new BuildParameters(spec);
  const m = parameters.count('m', 16);
  const efConstruction = parameters.count('efConstruction', 200);
  const refine = parameters.count('refine');
  parameters.refuseOthers();
  return lanceAlgorithm({
    name: spec.label ?? `lancedb HNSW-SQ m=${m}`,
    parameters: `m ${m}, efConstruction ${efConstruction}, 1 partition, HNSW_SQ${refine === undefined ? '' : `, refined by ${refine}`}`,
    effort: 'ef',
    leastEffort: (k) => k,
    config: (distanceType) => lancedb.Index.hnswSq({ distanceType, m, efConstruction, numPartitions: 1 }),
    prepare: (query, effort) => refined(query.ef(effort), refine),
  });
}

/** LanceDB with an inverted file over its partitions, the vectors whole or as product codes. The effort is `nprobes`. */
export function lancedbIvf(spec: AlgorithmSpec): Algorithm {
  const parameters = new BuildParameters(spec);
  const numPartitions = parameters.count('partitions', 256);
  const codes = parameters.choice('codes', ['none', 'pq']) ?? 'none';
  const refine = parameters.count('refine');
  parameters.refuseOthers();
  return lanceAlgorithm({
    name: spec.label ?? (codes === 'none' ? 'lancedb IVF' : 'lancedb IVF-PQ'),
    parameters: `${numPartitions} partitions, ${codes === 'none' ? 'IVF_FLAT' : 'IVF_PQ'}${refine === undefined ? '' : `, refined by ${refine}`}`,
    effort: 'nprobes',
    leastEffort: () => 1,
    config: (distanceType) =>
      codes === 'none'
        ? lancedb.Index.ivfFlat({ distanceType, numPartitions })
        : lancedb.Index.ivfPq({ distanceType, numPartitions }),
    prepare: (query, effort) => refined(query.nprobes(Math.min(effort, numPartitions)), refine),
  });
}

function refined(query: Query, factor: number | undefined): Query {
  return factor === undefined ? query : query.refineFactor(factor);
}

interface LanceIndex extends Pick<Algorithm, 'name' | 'parameters' | 'effort' | 'leastEffort'> {
  config(distanceType: string): object;
  prepare(query: Query, effort: number): Query;
}

function lanceAlgorithm({ config, prepare, ...rest }: LanceIndex): Algorithm {
  return {
    ...rest,
    ours: false,
    // Its own pool of threads takes all cores, and there is no option for less.
    buildsInParallel: false,
    openModes: ['memory'],
    version: () => installedVersion('@lancedb/lancedb'),
    async build({ base, metric }, path) {
      const db = await lancedb.connect(path);
      const { built, time } = await timedBuild(async () => {
        const made = await db.createTable(table, arrowTable(base));
        await made.createIndex('vector', { config: config(distances[metric]) });
        return made;
      });
      built.close();
      db.close();
      return time;
    },
    async open(_, path) {
      const db = await lancedb.connect(path);
      const opened = await db.openTable(table);
      let effort = 64;
      return {
        setEffort(wanted) {
          effort = wanted;
        },
        async queryAsync(vector, k) {
          const query = prepare(opened.query().nearestTo(vector), Math.max(effort, rest.leastEffort(k)));
          return (await query.limit(k).select(columns).toArrow()).getChild('id').toArray();
        },
        close() {
          opened.close();
          db.close();
        },
      };
    },
  };
}

function arrowTable({ data, rows, dim }: { readonly data: Float32Array; readonly rows: number; readonly dim: number }) {
  const arrow = requirePeer('apache-arrow') as Arrow;
  const column = (type: object, values: object) => new arrow.Vector([arrow.makeData({ type, ...values })]);
  const float = new arrow.Float32();
  const child = arrow.makeData({ type: float, length: rows * dim, nullCount: 0, data });
  return new arrow.Table({
    id: column(new arrow.Int32(), { length: rows, nullCount: 0, data: Int32Array.from({ length: rows }, (_, r) => r) }),
    vector: column(new arrow.FixedSizeList(dim, new arrow.Field('item', float, true)), {
      length: rows,
      nullCount: 0,
      child,
    }),
  });
}
