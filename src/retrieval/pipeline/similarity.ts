/** How like the items of a pool are to each other, in the spaces that answered: what diversity keeps apart. */
import type { Space } from '../space.js';
import type { Request } from './stages.js';

interface SpaceRows {
  readonly weight: number;
  /** Dot product of two rows of the pool; 0 where one has none. */
  readonly dot: (p: number, q: number) => number;
  readonly cost: number;
}

/** Rows longer than this are kept by their entries: those of sparse spaces have some dozen in tens of thousands of columns. */
const longestDense = 4096;

export class PoolSimilarity {
  readonly #spaces: readonly SpaceRows[];
  /** Operations that one comparison takes, about. */
  readonly cost: number;

  constructor({ collection, sources }: Request, items: Uint32Array) {
    const weights = new Map<Space, number>();
    for (const source of sources) {
      if (source.kind === 'search') weights.set(source.space, (weights.get(source.space) ?? 0) + source.weight);
    }
    // What no space answered is kept apart by the first.
    const [first] = collection.spaces;
    if (weights.size === 0 && first !== undefined) weights.set(first, 1);
    this.#spaces = [...weights]
      .filter(([, weight]) => weight > 0)
      .map(([space, weight]) => ({ weight, ...rowsOf(space, items) }));
    this.cost = this.#spaces.reduce((sum, { cost }) => sum + cost, 1);
  }

  /** As `similarItems` would score it: a cosine, in a factor space times how far both are explained. */
  between(p: number, q: number): number {
    let sum = 0;
    for (const { weight, dot } of this.#spaces) sum += weight * dot(p, q);
    return sum;
  }
}

function rowsOf(space: Space, items: Uint32Array): Omit<SpaceRows, 'weight'> {
  return space.similar.dim > longestDense ? entryRows(space, items) : denseRows(space, items);
}

function denseRows({ similar }: Space, items: Uint32Array): Omit<SpaceRows, 'weight'> {
  const { dim } = similar;
  const rows = new Float32Array(items.length * dim);
  items.forEach((item, p) => {
    const vector = similar.vector(item);
    if (vector !== undefined) rows.set(vector, p * dim);
  });
  const dot = (p: number, q: number) => {
    let sum = 0;
    for (let d = 0, a = p * dim, b = q * dim; d < dim; d++) sum += rows[a + d]! * rows[b + d]!;
    return sum;
  };
  return { dot, cost: dim };
}

function entryRows({ similar }: Space, items: Uint32Array): Omit<SpaceRows, 'weight'> {
  let entries = 0;
  const rows = Array.from(items, (item) => {
    const row = new Map<number, number>();
    similar.vector(item)?.forEach((value, column) => {
      if (value !== 0) row.set(column, value);
    });
    entries += row.size;
    return row;
  });
  const dot = (p: number, q: number) => {
    const [few, many] = rows[p]!.size < rows[q]!.size ? [rows[p]!, rows[q]!] : [rows[q]!, rows[p]!];
    let sum = 0;
    for (const [column, value] of few) sum += value * (many.get(column) ?? 0);
    return sum;
  };
  return { dot, cost: 10 * Math.ceil(entries / Math.max(1, items.length)) };
}
