/** How like scored items are to each other, in the spaces that answered: what diversity keeps apart. */
import type { Space } from '../space.js';
import type { Request } from './stages.js';

/** Likeness of two positions in one space; 0 where one has no vector. */
type Compare = (p: number, q: number) => number;

/** Rows longer than this are kept by their entries: those of sparse spaces have some dozen in tens of thousands of columns. */
const longestDense = 4096;

/** Vectors are read when they are first compared. */
export class Similarity {
  readonly #spaces: readonly { readonly weight: number; readonly compare: Compare }[];

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
      .map(([space, weight]) => ({ weight, compare: comparing(space, items) }));
  }

  /** As `similarItems` would score it: a cosine, in a factor space times how far both are explained. */
  between(p: number, q: number): number {
    let sum = 0;
    for (const { weight, compare } of this.#spaces) sum += weight * compare(p, q);
    return sum;
  }
}

function comparing({ similar }: Space, items: Uint32Array): Compare {
  const vectorOf = (p: number) => similar.vector(items[p]!);
  return similar.dim > longestDense ? byEntries(vectorOf) : byValues(vectorOf);
}

function byValues(vectorOf: (p: number) => Float32Array | undefined): Compare {
  const row = remembered((p) => vectorOf(p) ?? new Float32Array(0));
  return (p, q) => {
    const a = row(p);
    const b = row(q);
    const dim = Math.min(a.length, b.length);
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += a[d]! * b[d]!;
    return sum;
  };
}

function byEntries(vectorOf: (p: number) => Float32Array | undefined): Compare {
  const row = remembered((p) => {
    const entries = new Map<number, number>();
    vectorOf(p)?.forEach((value, column) => {
      if (value !== 0) entries.set(column, value);
    });
    return entries;
  });
  return (p, q) => {
    const [few, many] = row(p).size < row(q).size ? [row(p), row(q)] : [row(q), row(p)];
    let sum = 0;
    for (const [column, value] of few) sum += value * (many.get(column) ?? 0);
    return sum;
  };
}

function remembered<T>(make: (p: number) => T): (p: number) => T {
  const made = new Map<number, T>();
  return (p) => {
    let value = made.get(p);
    if (value === undefined) {
      value = make(p);
      made.set(p, value);
    }
    return value;
  };
}
