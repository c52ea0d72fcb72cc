// @ts-check
// The vectors of an hnswlib index, by slot: true distances, their order, and ids. Shared with the thread that started
// this one.

/** @typedef {'l2' | 'ip' | 'cosine'} Metric */

/** What a caller can be told, with its code. */
export class WorkerFailure extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class VectorRows {
  /**
   * @param {Metric} metric
   * @param {number} dim
   * @param {Float32Array} values count × dim
   * @param {Uint32Array | null} ids by slot; null for 0 … count − 1
   */
  constructor(metric, dim, values, ids) {
    this.metric = metric;
    this.dim = dim;
    this.values = values;
    this.count = values.length / dim;
    this.ids = ids;
    /** The slots by ascending id, in shared memory. */
    this.order = ids === null ? null : orderById(ids);
  }

  /**
   * Refuses what has no distance, and brings the rows to unit length under cosine.
   * @throws {WorkerFailure} NOT_FINITE, ZERO_VECTOR
   */
  prepare() {
    const { values, count, dim } = this;
    for (let slot = 0; slot < count; slot++) {
      let squared = 0;
      for (let j = 0; j < dim; j++) {
        const value = at(values, slot * dim + j);
        if (!Number.isFinite(value)) {
          throw new WorkerFailure(
            'NOT_FINITE',
            `data: row ${slot}, column ${j} is ${value}; every value must be finite.`,
          );
        }
        squared += value * value;
      }
      if (this.metric !== 'cosine') continue;
      if (squared === 0) {
        throw new WorkerFailure('ZERO_VECTOR', `data: row ${slot} has length zero, so it has no direction.`);
      }
      const length = Math.sqrt(squared);
      for (let j = 0; j < dim; j++) values[slot * dim + j] = at(values, slot * dim + j) / length;
    }
  }

  /**
   * Copies a row into a plain array, which is what hnswlib takes.
   * @param {number} slot
   * @param {number[]} out
   */
  copyRow(slot, out) {
    for (let j = 0; j < this.dim; j++) out[j] = at(this.values, slot * this.dim + j);
  }

  /**
   * A query as hnswlib and `closest` want it: unit length under cosine.
   * @param {Float32Array} query
   * @returns {number[]}
   */
  prepareQuery(query) {
    const point = Array.from(query);
    if (this.metric !== 'cosine') return point;
    let squared = 0;
    for (const value of point) squared += value * value;
    const length = Math.sqrt(squared);
    return point.map((value) => value / length);
  }

  /**
   * The `wanted` closest of these slots by true distance, ties by id.
   * @param {number[]} query prepared
   * @param {number[] | Uint32Array} slots
   * @param {number} wanted at most slots.length
   */
  closest(query, slots, wanted) {
    const all = Float32Array.from(slots, (slot) => this.distanceTo(query, slot));
    // Everything as close as the last wanted, in any order: ties are broken by id below.
    const bound = wanted === 0 ? Number.NEGATIVE_INFINITY : at(all.slice().sort(), wanted - 1);
    /** @type {{ slot: number, distance: number, id: number }[]} */
    const kept = [];
    for (let i = 0; i < slots.length; i++) {
      const slot = /** @type {number} */ (slots[i]);
      if (at(all, i) <= bound) kept.push({ slot, distance: at(all, i), id: this.idOf(slot) });
    }
    kept.sort((a, b) => a.distance - b.distance || a.id - b.id);
    kept.length = wanted;
    return { slots: kept.map(({ slot }) => slot), distances: Float32Array.from(kept, ({ distance }) => distance) };
  }

  /**
   * @param {number[]} query prepared
   * @param {number} slot
   */
  distanceTo(query, slot) {
    const { values, dim, metric } = this;
    const begin = slot * dim;
    let sum = 0;
    if (metric === 'l2') {
      for (let j = 0; j < dim; j++) {
        const difference = /** @type {number} */ (query[j]) - at(values, begin + j);
        sum += difference * difference;
      }
      return sum;
    }
    for (let j = 0; j < dim; j++) sum += /** @type {number} */ (query[j]) * at(values, begin + j);
    // Rounded before the subtraction, so that a vector is at distance 0 from itself under cosine.
    return (metric === 'ip' ? 0 : 1) - Math.fround(sum);
  }

  /** @param {number} slot */
  idOf(slot) {
    return this.ids === null ? slot : at(this.ids, slot);
  }

  /** @param {number[] | Uint32Array} slots */
  idsOf(slots) {
    return Uint32Array.from(slots, (slot) => this.idOf(slot));
  }

  /**
   * The slot of an id, or −1.
   * @param {number} id
   */
  slotOf(id) {
    const { ids, order, count } = this;
    if (ids === null || order === null) return id < count ? id : -1;
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
}

/**
 * @param {Uint32Array} ids
 * @throws {WorkerFailure} DUPLICATE_ID, INVALID_ARGUMENT
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
 * An element that is known to be there.
 * @param {Float32Array | Uint32Array} array
 * @param {number} position
 */
function at(array, position) {
  return /** @type {number} */ (array[position]);
}
