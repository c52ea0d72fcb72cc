// @ts-check
// The thread that holds one hnswlib-node index.
//
// hnswlib-node is synchronous and takes plain arrays, so it lives here, off the event loop, behind messages; see
// hnswlib-worker.ts for the protocol. Plain JavaScript, because a worker is started from a file that Node can run as it
// lies, from src/ and from dist/.
//
// hnswlib sees slots (0 … n − 1) as its labels, unit vectors under cosine, and its space `ip` for both ip and cosine.
// It finds candidates; the distances of an answer, and the order of ties, are computed from the rows, in double
// precision.
import { closeSync, openSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { readGraphFile } from './hnswlib-graph-file.mjs';
import { VectorRows, WorkerFailure } from './hnswlib-rows.mjs';

/**
 * @typedef {import('./hnswlib-rows.mjs').Metric} Metric
 * @typedef {{ listed: Uint32Array, complement: boolean }} Filter
 * @typedef {{ k: number, efSearch: number, exact: boolean, filter: Filter | null }} Search
 * @typedef {{ count: number, dim: number, ids: Uint32Array | null, metric: Metric, M: number }} Shape
 */

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const progressIntervalMs = 100;

/** @type {{ rows: VectorRows, graph: any } | undefined} */
let index;
/** The slots that the filter of the current search lists, as 1. */
let marks = new Uint8Array();

/** @type {Record<string, (args: any, report: (done: number, total: number) => void) => any>} */
const calls = {
  /**
   * `values` are validated, brought to unit length under cosine, and kept.
   * @param {Shape & { values: Float32Array, efConstruction: number, seed: number, cancel?: Int32Array }} args
   */
  async build({ values, count, dim, ids, metric, M, efConstruction, seed, cancel }, report) {
    const rows = new VectorRows(metric, dim, values, ids);
    rows.prepare();
    const graph = await newGraph(metric, dim);
    if (count > 0) graph.initIndex({ maxElements: count, m: M, efConstruction, randomSeed: seed });
    /** @type {number[]} */
    const point = new Array(dim).fill(0);
    const step = steps(count, cancel, report);
    for (let slot = 0; slot < count; slot++) {
      step(slot);
      rows.copyRow(slot, point);
      graph.addPoint(point, slot);
    }
    step(count);
    hold(rows, graph);
    return { order: rows.order };
  },

  /**
   * Loads a graph file of hnswlib after checking that nothing in it can lead a search astray; the rows are taken from
   * it.
   * @param {Shape & { path: string }} args
   */
  async load({ path, count, dim, ids, metric, M }) {
    const graph = await newGraph(metric, dim);
    let values = new Float32Array(new SharedArrayBuffer(0));
    if (count > 0) {
      values = checkedRows(path, { count, dim, M });
      graph.readIndexSync(path);
    }
    const rows = new VectorRows(metric, dim, values, ids);
    hold(rows, graph);
    return { values, order: rows.order };
  },

  /**
   * Writes hnswlib's own file and reads it back, because hnswlib does not notice a full disk.
   * @param {{ path: string, M: number }} args
   */
  write({ path, M }) {
    const { graph, rows } = held();
    if (rows.count === 0) return null;
    graph.writeIndexSync(path);
    checkedRows(path, { count: rows.count, dim: rows.dim, M });
    return null;
  },

  /** @param {{ query: Float32Array, cancel?: Int32Array } & Search} args */
  search({ query, cancel, ...search }) {
    checkCancelled(cancel);
    const { slots, distances, plan, visited } = findNearest(query, search);
    return { ids: held().rows.idsOf(slots), distances, plan, visited };
  },

  /**
   * `width` is the stride of the answer.
   * @param {{ queries: Float32Array, count: number, width: number, cancel?: Int32Array } & Search} args
   */
  searchBatch({ queries, count, width, cancel, ...search }, report) {
    const { rows } = held();
    const ids = new Uint32Array(count * width).fill(0xffffffff);
    const distances = new Float32Array(count * width).fill(Number.POSITIVE_INFINITY);
    const counts = new Uint32Array(count);
    let plan = 'scan';
    let visited = 0;
    const step = steps(count, cancel, report);
    for (let r = 0; r < count; r++) {
      step(r);
      const found = findNearest(queries.subarray(r * rows.dim, (r + 1) * rows.dim), search);
      ids.set(rows.idsOf(found.slots), r * width);
      distances.set(found.distances, r * width);
      counts[r] = found.slots.length;
      plan = found.plan;
      visited += found.visited;
    }
    step(count);
    return { ids, distances, counts, plan, visited };
  },
};

port.on('message', async ({ call, name, args }) => {
  try {
    const handler = calls[name];
    if (handler === undefined) throw new WorkerFailure('INTERNAL', `The worker knows no call ${name}.`);
    const value = await handler(args, (done, total) => port.postMessage({ call, progress: [done, total] }));
    port.postMessage({ call, value });
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL';
    port.postMessage({ call, error: { code, message: error instanceof Error ? error.message : String(error) } });
  }
});

/**
 * An empty graph of hnswlib-node, a package whose types say little.
 * @param {Metric} metric
 * @param {number} dim
 * @returns {Promise<any>}
 */
async function newGraph(metric, dim) {
  try {
    const { HierarchicalNSW } = (await import('hnswlib-node')).default;
    return new HierarchicalNSW(metric === 'l2' ? 'l2' : 'ip', dim);
  } catch (error) {
    throw new WorkerFailure(
      'OPTIONAL_PACKAGE',
      'An index of kind "hnswlib" needs the package hnswlib-node, which is not installed or not compiled: ' +
        `npm install hnswlib-node. (${error instanceof Error ? error.message.split('\n')[0] : error})`,
    );
  }
}

/**
 * The rows in a graph file, all of which was checked.
 * @param {string} path
 * @param {{ count: number, dim: number, M: number }} expected
 */
function checkedRows(path, expected) {
  const file = openSync(path, 'r');
  try {
    return readGraphFile(file, expected);
  } finally {
    closeSync(file);
  }
}

/**
 * @param {VectorRows} rows
 * @param {any} graph
 */
function hold(rows, graph) {
  index = { rows, graph };
  marks = new Uint8Array(rows.count);
}

function held() {
  if (index === undefined) throw new WorkerFailure('INTERNAL', 'The worker holds no index.');
  return index;
}

/** @param {Int32Array | undefined} cancel */
function checkCancelled(cancel) {
  if (cancel === undefined || Atomics.load(cancel, 0) === 0) return;
  throw new WorkerFailure('ABORTED', 'The operation was aborted.');
}

/**
 * To be called before each of `total` steps and once after: stops a cancelled call and reports progress now and then.
 * @param {number} total
 * @param {Int32Array | undefined} cancel
 * @param {(done: number, total: number) => void} report
 */
function steps(total, cancel, report) {
  let reported = performance.now();
  return (/** @type {number} */ done) => {
    if (done % 16 !== 0 && done !== total) return;
    checkCancelled(cancel);
    if (done !== total && performance.now() - reported < progressIntervalMs) return;
    reported = performance.now();
    report(done, total);
  };
}

/**
 * @param {Float32Array} query as the caller gave it
 * @param {Search} search
 */
function findNearest(query, { k, efSearch, exact, filter }) {
  const { rows, graph } = held();
  const { count } = rows;
  const prepared = rows.prepareQuery(query);
  const marked = filter === null ? [] : mark(filter.listed);
  try {
    const matching = filter === null ? count : filter.complement ? count - marked.length : marked.length;
    const wanted = Math.min(k, matching);
    const pool = Math.min(count, Math.max(efSearch, k));
    // hnswlib goes on until its pool is full of allowed ones: with fewer of them than that, it would visit everything.
    if (!exact && wanted > 0 && (filter === null || matching > pool)) {
      graph.setEf(pool);
      const allows = (/** @type {number} */ slot) => (marks[slot] === 1) !== filter?.complement;
      const { neighbors } = filter === null ? graph.searchKnn(prepared, pool) : graph.searchKnn(prepared, pool, allows);
      if (neighbors.length >= wanted) {
        const plan = filter === null ? 'graph' : 'filtered-graph';
        return { ...rows.closest(prepared, neighbors, wanted), plan, visited: neighbors.length };
      }
    }
    const allowed = filter !== null && !filter.complement ? marked : unmarked(count);
    const plan = filter === null ? 'scan' : 'allowed-scan';
    return { ...rows.closest(prepared, allowed, wanted), plan, visited: allowed.length };
  } finally {
    for (const slot of marked) marks[slot] = 0;
  }
}

/**
 * Marks the slots of these ids; gives those that the index holds.
 * @param {Uint32Array} listed distinct ids
 */
function mark(listed) {
  const { rows } = held();
  const slots = [];
  for (const id of listed) {
    const slot = rows.slotOf(id);
    if (slot < 0) continue;
    marks[slot] = 1;
    slots.push(slot);
  }
  return slots;
}

/** @param {number} count */
function unmarked(count) {
  return Uint32Array.from({ length: count }, (_, slot) => slot).filter((slot) => marks[slot] === 0);
}
