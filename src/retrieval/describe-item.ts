import type { Collection } from './collection.js';
import type { Item, Result } from './types.js';

/** What every answer says of an item, with its score. Literals of one shape: this runs for every result. */
export function describeResult(
  { catalogue, pictures }: Collection,
  item: number,
  score: number,
  likeness: number,
): Result {
  const id = catalogue.id(item);
  const title = catalogue.title(item);
  const attributes = catalogue.attributes(item);
  if (pictures?.has(id) === true) return { id, score, likeness, title, attributes, picture: true };
  return { id, score, likeness, title, attributes };
}

/** All that is known of an item. */
export function describeItem({ catalogue, pictures, seen, spaces }: Collection, item: number): Item {
  const id = catalogue.id(item);
  return {
    id,
    title: catalogue.title(item),
    attributes: catalogue.attributes(item),
    ...(pictures?.has(id) === true ? { picture: true } : {}),
    interactions: seen.popularity[item]!,
    spaces: spaces.filter((space) => space.hasItem(item)).map(({ name }) => name),
  };
}
