// @ts-check
// The thread that holds one hnswlib-node index.
//
// hnswlib-node is synchronous and takes plain arrays, so it lives here, off the event loop, behind messages; see hnswlib-worker.ts for
// the protocol. Plain JavaScript, because a worker is started from a file that Node can run as it lies, from src/ and from dist/.
//
// hnswlib sees slots (0 … n − 1) as its labels, unit vectors under cosine, and `ip` for both ip and cosine. It finds candidates; the
// distances of an answer, and the order of ties, are computed here from the rows, in double precision.
import { closeSync, openSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { readGraphFile } from './hnswlib-graph-file.mjs';

/**
 * @typedef {'l2' | 'ip' | 'cosine'} Metric
 * @typedef {{ listed: Uint32Array, complement: boolean }} Filter
 * @typedef {{ k: number, efSearch: number, exact: boolean, filter: Filter | null }} Search
 * @typedef {{ slots: number[] | Uint32Array, distances: Float32Array, plan: string, visited: number }} Found
 */

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const progressIntervalMs = 100;

class WorkerFailure extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** @type {{ metric: Metric, dim: number, rows: Float32Array, ids: Uint32Array | null, order: Uint32Array | null, graph: any } | undefined} */
let index;
/** The slots that the current filter lists, as 1. @type {Uint8Array} */
let marks = new Uint8Array();

/** @type {Record<string, (args: any, report: (done: number, total: number) => void) => Promise<any> | any>} */
const calls = {
  /**
   * `rows` are validated, brought to unit length under cosine, and kept.
   * @param {{ rows: Float32Array, count: number, dim: number, ids: Uint32Array | null, metric: Metric, M: number, efConstruction: number, seed: number, cancel?: Int32Array }} args
   */
  async build({ rows, count, dim, ids, metric, M, efConstruction, seed, cancel }, report) {
    checkRows(rows, count, dim, metric);
    const order = ids === null ? null : orderById(ids);
    const graph = new (await hnswlib()).HierarchicalNSW(metric === 'l2' ? 'l2' : 'ip', dim);
    if (count > 0) graph.initIndex({ maxElements: count, m: M, efConstruction, randomSeed: seed });
    /** @type {number[]} */
    const point = new Array(dim).fill(0);
    let reported = performance.now();
    for (let slot = 0; slot < count; slot++) {
      if (slot % 16 === 0) {
        checkCancelled(cancel);
        if (performance.now() - reported > progressIntervalMs) {
          reported = performance.now();
          report(slot, count);
        }
      }
      for (let j = 0; j < dim; j++) point[j] = at(rows, slot * dim + j);
      graph.addPoint(point, slot);
    }
    checkCancelled(cancel);
    report(count, count);
    adopt({ metric, dim, rows, ids, order, graph });
    return { order };
  },

  /**
   * Loads a graph file of hnswlib after checking that nothing in it can lead a search astray; the rows are taken from it.
   * @param {{ path: string, count: number, dim: number, ids: Uint32Array | null, metric: Metric, M: number }} args
   */
  async load({ path, count, dim, ids, metric, M }) {
    const order = ids === null ? null : orderById(ids);
    const graph = new (await hnswlib()).HierarchicalNSW(metric === 'l2' ? 'l2' : 'ip', dim);
    let rows = new Float32Array(new SharedArrayBuffer(0));
    if (count > 0) {
      const file = openSync(path, 'r');
      try {
        rows = readGraphFile(file, { count, dim, M });
      } finally {
        closeSync(file);
      }
      graph.readIndexSync(path);
    }
    adopt({ metric, dim, rows, ids, order, graph });
    return { rows, order };
  },

  /**
   * Writes hnswlib's own file and reads it back, because hnswlib does not notice a full disk.
   * @param {{ path: string, M: number }} args
   */
  write({ path, M }) {
    const { graph, rows, dim } = held();
    const count = rows.length / dim;
    if (count === 0) return null;
    graph.writeIndexSync(path);
    const file = openSync(path, 'r');
    try {
      readGraphFile(file, { count, dim, M });
    } finally {
      closeSync(file);
    }
    return null;
  },

  /** @param {{ query: Float32Array, cancel?: Int32Array } & Search} args */
  search({ query, cancel, ...search }) {
    checkCancelled(cancel);
    const found = findNearest(query, search);
    checkCancelled(cancel);
    return { ids: idsOf(found.slots), distances: found.distances, plan: found.plan, visited: found.visited };
  },

  /**
   * @param {{ queries: Float32Array, count: number, width: number, cancel?: Int32Array } & Search} args `width` is the stride of the answer
   */
  searchBatch({ queries, count, width, cancel, ...search }, report) {
    const { dim } = held();
    const ids = new Uint32Array(count * width).fill(0xffffffff);
    const distances = new Float32Array(count * width).fill(Number.POSITIVE_INFINITY);
    const counts = new Uint32Array(count);
    let plan = 'scan';
    let visited = 0;
    let reported = performance.now();
    for (let r = 0; r < count; r++) {
      checkCancelled(cancel);
      if (performance.now() - reported > progressIntervalMs) {
        reported = performance.now();
        report(r, count);
      }
      const found = findNearest(queries.subarray(r * dim, (r + 1) * dim), search);
      ids.set(idsOf(found.slots), r * width);
      distances.set(found.distances, r * width);
      counts[r] = found.slots.length;
      plan = found.plan;
      visited += found.visited;
    }
    report(count, count);
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

/** @returns {Promise<any>} the package, which has no types worth having */
async function hnswlib() {
  try {
    return (await import('hnswlib-node')).default;
  } catch (error) {
    throw new WorkerFailure(
      'OPTIONAL_PACKAGE',
      'An index of kind "hnswlib" needs the package hnswlib-node, which is not installed or not compiled: ' +
        `npm install hnswlib-node. (${error instanceof Error ? error.message.split('\n')[0] : error})`,
    );
  }
}

/** @param {NonNullable<typeof index>} next */
function adopt(next) {
  index = next;
  marks = new Uint8Array(next.rows.length / next.dim);
}

function held() {
  if (index === undefined) throw new WorkerFailure('INTERNAL', 'The worker holds no index.');
  return index;
}

/** @param {Int32Array | undefined} cancel */
function checkCancelled(cancel) {
  if (cancel !== undefined && Atomics.load(cancel, 0) !== 0)
    throw new WorkerFailure('ABORTED', 'The operation was aborted.');
}

/**
 * @param {Float32Array} rows
 * @param {number} count
 * @param {number} dim
 * @param {Metric} metric
 */
function checkRows(rows, count, dim, metric) {
  for (let r = 0; r < count; r++) {
    let squared = 0;
    for (let j = 0; j < dim; j++) {
      const value = at(rows, r * dim + j);
      if (!Number.isFinite(value)) {
        throw new WorkerFailure('NOT_FINITE', `data: row ${r}, column ${j} is ${value}; every value must be finite.`);
      }
      squared += value * value;
    }
    if (metric !== 'cosine') continue;
    if (squared === 0)
      throw new WorkerFailure('ZERO_VECTOR', `data: row ${r} has length zero, so it has no direction.`);
    const length = Math.sqrt(squared);
    for (let j = 0; j < dim; j++) rows[r * dim + j] = at(rows, r * dim + j) / length;
  }
}

/**
 * The slots by ascending id.
 * @param {Uint32Array} ids
 */
function orderById(ids) {
  const order = new Uint32Array(new SharedArrayBuffer(ids.byteLength));
  for (let slot = 0; slot < order.length; slot++) order[slot] = slot;
  order.sort((a, b) => at(ids, a) - at(ids, b));
  for (let i = 1; i < order.length; i++) {
    const id = at(ids, at(order, i));
    if (id === at(ids, at(order, i - 1))) throw new WorkerFailure('DUPLICATE_ID', `ids: ${id} occurs more than once.`);
  }
  if (order.length > 0 && at(ids, at(order, order.length - 1)) === 0xffffffff) {
    throw new WorkerFailure('INVALID_ARGUMENT', 'ids: 4294967295 is reserved.');
  }
  return order;
}

/**
 * The slot of an id, or −1.
 * @param {number} id
 */
function slotOf(id) {
  const { ids, order, rows, dim } = held();
  if (ids === null || order === null) return id < rows.length / dim ? id : -1;
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(ids, at(order, middle)) < id) low = middle + 1;
    else high = middle;
  }
  const slot = low < order.length ? at(order, low) : -1;
  return slot >= 0 && at(ids, slot) === id ? slot : -1;
}

/** @param {number[] | Uint32Array} slots */
function idsOf(slots) {
  const { ids } = held();
  return Uint32Array.from(slots, (slot) => (ids === null ? slot : at(ids, slot)));
}

/**
 * @param {Float32Array} query as the caller gave it
 * @param {Search} search
 * @returns {Found}
 */
function findNearest(query, { k, efSearch, exact, filter }) {
  const { rows, dim, graph, metric } = held();
  const count = rows.length / dim;
  const prepared = prepareQuery(query, metric);
  const marked = filter === null ? [] : mark(filter.listed);
  try {
    const matching = filter === null ? count : filter.complement ? count - marked.length : marked.length;
    const wanted = Math.min(k, matching);
    if (!exact && wanted > 0) {
      const pool = Math.min(count, Math.max(efSearch, k));
      // Its traversal ends only once as many as the pool holds were allowed: with fewer allowed, it would visit everything.
      if (matching > pool || filter === null) {
        graph.setEf(pool);
        const complement = filter?.complement === true;
        const { neighbors } =
          filter === null
            ? graph.searchKnn(prepared, pool)
            : graph.searchKnn(prepared, pool, (/** @type {number} */ slot) => (at(marks, slot) === 1) !== complement);
        if (neighbors.length >= wanted) {
          const plan = filter === null ? 'graph' : 'filtered-graph';
          return { ...closest(prepared, neighbors, wanted), plan, visited: neighbors.length };
        }
      }
    }
    const allowed = filter === null ? allSlots(count) : filter.complement ? unmarkedSlots(count) : marked;
    const plan = filter === null ? 'scan' : 'allowed-scan';
    return { ...closest(prepared, allowed, wanted), plan, visited: allowed.length };
  } finally {
    for (const slot of marked) marks[slot] = 0;
  }
}

/**
 * Marks the slots of these ids; gives those that the index holds.
 * @param {Uint32Array} listed distinct ids
 */
function mark(listed) {
  const slots = [];
  for (const id of listed) {
    const slot = slotOf(id);
    if (slot < 0) continue;
    marks[slot] = 1;
    slots.push(slot);
  }
  return slots;
}

/** @param {number} count */
function allSlots(count) {
  return Uint32Array.from({ length: count }, (_, slot) => slot);
}

/** @param {number} count */
function unmarkedSlots(count) {
  return allSlots(count).filter((slot) => at(marks, slot) === 0);
}

/**
 * @param {Float32Array} query
 * @param {Metric} metric
 * @returns {number[]}
 */
function prepareQuery(query, metric) {
  const point = Array.from(query);
  if (metric !== 'cosine') return point;
  let squared = 0;
  for (const value of point) squared += value * value;
  const length = Math.sqrt(squared);
  return point.map((value) => value / length);
}

/**
 * The `wanted` closest of these slots by true distance, ties by id.
 * @param {number[]} query
 * @param {number[] | Uint32Array} slots
 * @param {number} wanted at most slots.length
 */
function closest(query, slots, wanted) {
  const { ids } = held();
  const all = Float32Array.from(slots, (slot) => distanceTo(query, slot));
  // Everything as close as the last wanted, in any order: ties are broken by id below.
  const bound = wanted === 0 ? Number.NEGATIVE_INFINITY : at(all.slice().sort(), wanted - 1);
  /** @type {{ slot: number, distance: number, id: number }[]} */
  const kept = [];
  for (let i = 0; i < slots.length; i++) {
    const slot = /** @type {number} */ (slots[i]);
    if (at(all, i) <= bound) kept.push({ slot, distance: at(all, i), id: ids === null ? slot : at(ids, slot) });
  }
  kept.sort((a, b) => a.distance - b.distance || a.id - b.id);
  kept.length = wanted;
  return { slots: kept.map(({ slot }) => slot), distances: Float32Array.from(kept, ({ distance }) => distance) };
}

/**
 * @param {number[]} query
 * @param {number} slot
 */
function distanceTo(query, slot) {
  const { rows, dim, metric } = held();
  const begin = slot * dim;
  let sum = 0;
  if (metric === 'l2') {
    for (let j = 0; j < dim; j++) {
      const difference = /** @type {number} */ (query[j]) - at(rows, begin + j);
      sum += difference * difference;
    }
    return sum;
  }
  for (let j = 0; j < dim; j++) sum += /** @type {number} */ (query[j]) * at(rows, begin + j);
  // Rounded before the subtraction, so that a vector is at distance 0 from itself under cosine.
  return (metric === 'ip' ? 0 : 1) - Math.fround(sum);
}

/**
 * An element that is known to be there.
 * @param {Float32Array | Uint32Array | Uint8Array} array
 * @param {number} position
 */
function at(array, position) {
  return /** @type {number} */ (array[position]);
}
