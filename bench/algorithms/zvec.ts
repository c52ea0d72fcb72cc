import { type PeerMetric, rowOf } from '../datasets/dataset.js';
import type { Algorithm, AlgorithmSpec } from './algorithm.js';
import { BuildParameters } from './build-parameters.js';
import { installedVersion, requirePeer } from './installed.js';
import { timedBuild } from './timed-build.js';

/** As much of the package as is used here, so that this compiles where it is not installed. */
interface Query {
  fieldName: string;
  topk: number;
  vector: Float32Array;
  outputFields: string[];
  params: { indexType: number; ef: number };
}
interface Collection {
  insertSync(
    documents: { id: string; vectors: Record<string, Float32Array> }[],
  ): { readonly ok: boolean; readonly message: string }[];
  optimizeSync(options: { concurrency: number }): void;
  querySync(query: Query): { readonly id: string }[];
  query(query: Query): Promise<{ readonly id: string }[]>;
  closeSync(): void;
}
interface Zvec {
  readonly ZVecDataType: { readonly VECTOR_FP32: number };
  readonly ZVecIndexType: { readonly HNSW: number };
  readonly ZVecMetricType: { readonly L2: number; readonly IP: number; readonly COSINE: number };
  readonly ZVecLogLevel: { readonly ERROR: number };
  readonly ZVecCollectionSchema: new (schema: {
    name: string;
    vectors: {
      name: string;
      dataType: number;
      dimension: number;
      indexParams: { indexType: number; metricType: number; m: number; efConstruction: number };
    };
  }) => object;
  ZVecInitialize(options: { logLevel: number; queryThreads: number; optimizeThreads: number }): void;
  ZVecCreateAndOpen(path: string, schema: object): Collection;
  ZVecOpen(path: string, options: { readOnly: boolean; enableMMAP: boolean }): Collection;
}

const {
  ZVecLogLevel,
  ZVecCollectionSchema,
  ZVecCreateAndOpen,
  ZVecDataType,
  ZVecIndexType,
  ZVecInitialize,
  ZVecMetricType,
  ZVecOpen,
} = requirePeer('@zvec/zvec') as Zvec;

const metrics: Record<PeerMetric, number> = {
  l2: ZVecMetricType.L2,
  ip: ZVecMetricType.IP,
  cosine: ZVecMetricType.COSINE,
};
const field = 'embedding';
const documentsPerInsert = 500;

let initialized = false;

/** A process may do this once. */
function initialize(threads: number): void {
  if (initialized) return;
  initialized = true;
  ZVecInitialize({ logLevel: ZVecLogLevel.ERROR, queryThreads: 1, optimizeThreads: threads });
}

/** zvec: a collection with one f32 vector field and an HNSW index over it; typed arrays in, documents out, ids as strings. */
export function zvecHnsw(spec: AlgorithmSpec): Algorithm {
  const parameters = new BuildParameters(spec);
  const m = parameters.count('m', 16);
  const efConstruction = parameters.count('efConstruction', 200);
  parameters.refuseOthers();
  return {
    name: spec.label ?? `zvec f32 M=${m}`,
    parameters: `m ${m}, efConstruction ${efConstruction}, f32`,
    ours: false,
    effort: 'ef',
    leastEffort: (k) => k,
    buildsInParallel: true,
    openModes: ['memory', 'mapped'],
    version: () => installedVersion('@zvec/zvec'),
    async build({ base, metric }, path, threads) {
      initialize(threads);
      const collection = ZVecCreateAndOpen(
        path,
        new ZVecCollectionSchema({
          name: 'bench',
          vectors: {
            name: field,
            dataType: ZVecDataType.VECTOR_FP32,
            dimension: base.dim,
            indexParams: { indexType: ZVecIndexType.HNSW, metricType: metrics[metric], m, efConstruction },
          },
        }),
      );
      const { time } = await timedBuild(() => {
        for (let at = 0; at < base.rows; at += documentsPerInsert) {
          const count = Math.min(documentsPerInsert, base.rows - at);
          const documents = Array.from({ length: count }, (_, i) => ({
            id: String(at + i),
            vectors: { [field]: rowOf(base, at + i).slice() },
          }));
          const failed = collection.insertSync(documents).find((status) => !status.ok);
          if (failed !== undefined) throw new Error(`zvec: ${failed.message}`);
        }
        collection.optimizeSync({ concurrency: threads });
      });
      collection.closeSync();
      return time;
    },
    open(_, path, how = 'memory') {
      initialize(1);
      const collection = ZVecOpen(path, { readOnly: true, enableMMAP: how === 'mapped' });
      const ask = { fieldName: field, outputFields: [] as string[] };
      let params = { indexType: ZVecIndexType.HNSW, ef: 64 };
      return Promise.resolve({
        setEffort(effort: number) {
          params = { indexType: ZVecIndexType.HNSW, ef: effort };
        },
        query: (vector: Float32Array, topk: number) =>
          collection.querySync({ ...ask, topk, vector, params }).map(({ id }) => Number(id)),
        queryAsync: async (vector: Float32Array, topk: number) =>
          (await collection.query({ ...ask, topk, vector, params })).map(({ id }) => Number(id)),
        close: () => collection.closeSync(),
      });
    },
  };
}
