/** The rows of a generation's tables, in the order of their ordinals. */
import type { Generation } from '../retrieval/collection.js';

export function* itemRows({ catalogue }: Generation): Generator<(string | number)[]> {
  for (let item = 0; item < catalogue.size; item++) {
    const attributes: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(catalogue.attributes(item))) {
      // JSON has no infinities.
      attributes[name] = typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
    }
    yield [item, catalogue.id(item), catalogue.title(item), JSON.stringify(attributes)];
  }
}

export function* userRows({ users }: Generation): Generator<(string | number)[]> {
  for (let user = 0; user < users.size; user++) yield [user, users.at(user)];
}

export function* deeds({ seen }: Generation): Generator<(number | undefined)[]> {
  for (let user = 0; user < seen.users; user++) {
    for (const { item, value, timestamp } of seen.pastOf(user)) yield [user, item, value, timestamp];
  }
}
