/** How like scored items are to each other, in the spaces that answered: what diversity keeps apart. */
import type { Space } from '../space.js';
import type { Request } from './stages.js';

/** Likeness of two positions in one space; 0 where one has no vector. */
type Compare = (p: number, q: number) => number;

/** Rows longer than this are kept by their entries: those of sparse spaces have some dozen in tens of thousands of columns. */
const longestDense = 4096;

/** Vectors are read when they are first compared, but for those of indexes outside of this process, which `fetch` brings at once. */
export class Similarity {
  readonly #spaces: readonly { readonly weight: number; readonly compare: Compare }[];

  constructor(request: Request, items: Uint32Array, fetched: Fetched = new Map()) {
    this.#spaces = [...spacesOf(request)].map(([space, weight]) => ({
      weight,
      compare: comparing(space, items, fetched.get(space)),
    }));
  }

  /** The vectors that a pool's first positions need, where they are elsewhere. */
  static async fetch(request: Request, items: Uint32Array): Promise<Fetched> {
    const fetched = new Map<Space, ReadonlyMap<number, Float32Array | undefined>>();
    for (const space of spacesOf(request).keys()) {
      if (space.similar.vectors === undefined) continue;
      const vectors = await space.itemVectors(items, request.query.signal);
      fetched.set(space, new Map(vectors.map((vector, at) => [items[at]!, vector])));
    }
    return fetched;
  }

  /** As `similarItems` would score it: a cosine, in a factor space times how far both are explained. */
  between(p: number, q: number): number {
    let sum = 0;
    for (const { weight, compare } of this.#spaces) sum += weight * compare(p, q);
    return sum;
  }
}

/** By space: its vectors by item. */
export type Fetched = ReadonlyMap<Space, ReadonlyMap<number, Float32Array | undefined>>;

/** The spaces that answered, with what they weigh. */
function spacesOf({ collection, sources }: Pick<Request, 'collection' | 'sources'>): ReadonlyMap<Space, number> {
  const weights = new Map<Space, number>();
  for (const source of sources) {
    if (source.kind === 'search') weights.set(source.space, (weights.get(source.space) ?? 0) + source.weight);
  }
  // What no space answered is kept apart by the first.
  const [first] = collection.spaces;
  if (weights.size === 0 && first !== undefined) weights.set(first, 1);
  return new Map([...weights].filter(([, weight]) => weight > 0));
}

function comparing(
  { similar }: Space,
  items: Uint32Array,
  fetched: ReadonlyMap<number, Float32Array | undefined> | undefined,
): Compare {
  const vectorOf = (p: number) => (fetched === undefined ? similar.vector(items[p]!) : fetched.get(items[p]!));
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
