import type { CsrMatrix, spaceTrainer } from 'nigh/evaluation';
import { Vocabulary } from 'nigh/evaluation';

/** A matrix of interactions as a dataset without titles or attributes. */
export function asDataset(interactions: CsrMatrix): Parameters<typeof spaceTrainer>[1] {
  const names = (count: number) => new Vocabulary(Array.from({ length: count }, (_, at) => `${at}`));
  const items = names(interactions.cols);
  return {
    origin: { name: 'benchmark', licence: '', source: '' },
    items,
    users: names(interactions.rows),
    titles: items.terms,
    columns: new Map(),
    interactions,
  };
}
