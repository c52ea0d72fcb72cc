import { CsrMatrix } from '../core/csr-matrix.js';
import { Vocabulary } from '../core/vocabulary.js';
import type { Column, Dataset } from './dataset.js';

/**
 * The dataset without some of its items and users, and without the interactions of those; the order of the rest is kept, and
 * ordinals are given anew. Linear in the dataset.
 * @param keepItem 1 or 0 by item ordinal
 * @param keepUser 1 or 0 by user ordinal
 */
export function subsetDataset(dataset: Dataset, keepItem: Uint8Array, keepUser: Uint8Array): Dataset {
  const columns = new Map<string, Column>();
  for (const [name, column] of dataset.columns) columns.set(name, keptOfColumn(column, keepItem));
  const items = new Vocabulary(kept(dataset.items.terms, keepItem));
  const users = new Vocabulary(kept(dataset.users.terms, keepUser));
  return {
    origin: dataset.origin,
    items,
    users,
    titles: kept(dataset.titles, keepItem),
    columns,
    ...keptOfInteractions(dataset, keepItem, keepUser, items.size),
    ...(dataset.pictures === undefined ? {} : { pictures: dataset.pictures }),
  };
}

function kept<T>(values: readonly T[], keep: Uint8Array): T[] {
  return values.filter((_, ordinal) => keep[ordinal] === 1);
}

function keptOfColumn(column: Column, keep: Uint8Array): Column {
  switch (column.type) {
    case 'text':
      return { type: 'text', values: kept(column.values, keep) };
    case 'number':
      return { type: 'number', values: kept(column.values, keep) };
    case 'tags':
      return { type: 'tags', values: kept(column.values, keep) };
  }
}

function keptOfInteractions(
  { interactions: old, timestamps: oldTimes }: Dataset,
  keepItem: Uint8Array,
  keepUser: Uint8Array,
  items: number,
): Pick<Dataset, 'interactions' | 'timestamps'> {
  const newItem = new Uint32Array(keepItem.length);
  for (let item = 0, next = 0; item < keepItem.length; item++) {
    newItem[item] = next;
    next += keepItem[item]!;
  }
  const columns = new Uint32Array(old.entries);
  const values = new Float32Array(old.entries);
  const times = oldTimes && new Float64Array(old.entries);
  const offsets = [0];
  let size = 0;
  for (let user = 0; user < old.rows; user++) {
    if (keepUser[user] !== 1) continue;
    for (let e = old.offsets[user]!; e < old.offsets[user + 1]!; e++) {
      const item = old.columns[e]!;
      if (keepItem[item] !== 1) continue;
      columns[size] = newItem[item]!;
      values[size] = old.values[e]!;
      if (times !== undefined) times[size] = oldTimes![e]!;
      size++;
    }
    offsets.push(size);
  }
  return {
    interactions: new CsrMatrix(
      offsets.length - 1,
      items,
      Uint32Array.from(offsets),
      columns.slice(0, size),
      values.slice(0, size),
    ),
    ...(times === undefined ? {} : { timestamps: times.slice(0, size) }),
  };
}
