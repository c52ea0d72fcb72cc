import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { Vocabulary } from '../../src/core/vocabulary.js';
import type { Column, Dataset } from '../../src/data/dataset.js';

/** A dataset of items only. */
export function catalogueOf(titles: readonly string[], columns: Readonly<Record<string, Column>> = {}): Dataset {
  return datasetOf({ titles, columns, pairs: [], users: 0 });
}

/** A dataset of interactions: [user, item, value] by ordinal. */
export function interactionsOf(
  users: number,
  items: number,
  pairs: readonly (readonly [user: number, item: number, value?: number])[],
): Dataset {
  return datasetOf({ titles: Array.from({ length: items }, (_, i) => `item ${i}`), columns: {}, pairs, users });
}

function datasetOf(parts: {
  titles: readonly string[];
  columns: Readonly<Record<string, Column>>;
  pairs: readonly (readonly [user: number, item: number, value?: number])[];
  users: number;
}): Dataset {
  const { titles, columns, pairs, users } = parts;
  return {
    origin: { name: 'test', licence: 'none', source: 'test' },
    items: new Vocabulary(titles.map((_, i) => `i${i}`)),
    users: new Vocabulary(Array.from({ length: users }, (_, u) => `u${u}`)),
    titles,
    columns: new Map(Object.entries(columns)),
    interactions: CsrMatrix.fromTriplets(
      { rows: users, cols: titles.length },
      {
        rows: pairs.map(([user]) => user),
        columns: pairs.map(([, item]) => item),
        values: pairs.map(([, , value = 1]) => value),
      },
      (_, next) => next,
    ),
  };
}

/** A generator of numbers in [0, 1) with a seed, for data whose structure is known. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}
