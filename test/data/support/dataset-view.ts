import type { Dataset } from '../../../src/data/dataset.js';

/** What a dataset says of every pair, in words: `user item` → [value] or [value, timestamp]. */
export function interactionsOf(dataset: Dataset): Map<string, number[]> {
  const { interactions, timestamps, users, items } = dataset;
  const pairs = new Map<string, number[]>();
  for (let user = 0; user < interactions.rows; user++) {
    for (let e = interactions.offsets[user]!; e < interactions.offsets[user + 1]!; e++) {
      const key = `${users.term(user)} ${items.term(interactions.columns[e]!)}`;
      const time = timestamps?.[e];
      pairs.set(key, time === undefined ? [interactions.values[e]!] : [interactions.values[e]!, time]);
    }
  }
  return pairs;
}

/** The attributes of one item, without those it lacks. */
export function attributesOf(dataset: Dataset, id: string): Record<string, unknown> {
  const ordinal = dataset.items.ordinal(id);
  const attributes: Record<string, unknown> = {};
  for (const [name, { values }] of dataset.columns) {
    const value = ordinal === undefined ? undefined : values[ordinal];
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}
