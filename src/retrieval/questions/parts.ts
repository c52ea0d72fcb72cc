import { invalidArgument } from '../../core/errors.js';
import type { Content } from '../../embeddings/embedding.js';
import type { Collection } from '../collection.js';
import type { HistoryItems, Space } from '../space.js';
import { type Pick, type Taste, tasteOf, tasteOfPicks } from '../taste.js';
import { noItems, nothing, type Part, type Probe } from './part.js';

/** Items like this one: its own vector, by direction. */
export function itemPart({ catalogue }: Collection, item: number): Part {
  return {
    kind: 'item',
    probe: async (space) => probeOf(space.similar, await space.itemVector(item)),
    items: { items: Uint32Array.of(item), weights: Float32Array.of(1) },
    asked: Uint32Array.of(item),
    seen: nothing,
    lack: `The item ${JSON.stringify(catalogue.id(item))} has no vector`,
  };
}

/** Items that suit a user: by the vector that was fitted for them, or, in a space without one, by their taste. */
export function userPart({ seen, users }: Collection, user: number, taste: Taste): Part {
  const history = tasteOf(seen.pastOf(user), taste);
  return {
    kind: 'user',
    probe: async (space) =>
      probeOf(space.forUsers, (await space.userVector(user)) ?? (await space.historyVector(history))),
    items: history,
    asked: nothing,
    seen: seen.itemsOf(user),
    lack: `The user ${JSON.stringify(users.at(user))} has no vector, and liked nothing that has one,`,
  };
}

/** Items that suit somebody who likes these. */
export function historyPart(picks: readonly Pick[], taste: Taste): Part {
  const history = tasteOfPicks(picks, taste);
  return {
    kind: 'history',
    probe: async (space) => probeOf(space.forUsers, await space.historyVector(history)),
    items: history,
    asked: nothing,
    seen: history.items,
    lack: 'Nothing that was liked has a vector',
  };
}

/** Items for a user of whom nothing is known, not even a pick. */
export function strangerPart(user: string): Part {
  return { ...historyPart([], {}), lack: `Nothing is known of the user ${JSON.stringify(user)}: there is no vector` };
}

/** Items near to a vector of one space. */
export function vectorPart(vector: Float32Array, spaceName: string): Part {
  return {
    ...withoutItems('vector', 'The vector belongs to no'),
    probe: async (space) => (space.name === spaceName ? { index: space.similar, vector } : undefined),
  };
}

/** Items near to content that is not in the catalogue: what a space's own embedder makes of it. */
export function contentPart(
  { embedders }: Collection,
  kind: 'text' | 'image',
  content: Content,
  signal: AbortSignal | undefined,
): Part {
  return {
    ...withoutItems(kind, kind === 'text' ? 'Nothing of the text is known' : 'The picture has no vector'),
    probe: async (space) => {
      const embedder = await embedders.of(space.name);
      return probeOf(space.similar, await embedder?.embed(content, signal));
    },
  };
}

function withoutItems(kind: Part['kind'], lack: string): Omit<Part, 'probe'> {
  return { kind, items: noItems, asked: nothing, seen: nothing, lack };
}

function probeOf(index: Probe['index'], vector: Float32Array | undefined): Probe | undefined {
  return vector === undefined ? undefined : { index, vector };
}

/** What is liked of a part's items: the positive ones, by ordinal. */
export function likedItems({ items, weights }: HistoryItems): Uint32Array {
  return items.filter((_, i) => weights[i]! > 0);
}

/** @throws NighError INVALID_ARGUMENT for a space that cannot take the vector */
export function requireVectorLength(vector: Float32Array, { name, similar }: Space): void {
  if (vector.length !== similar.dim) {
    throw invalidArgument('vector', `${similar.dim} values, as the space ${name} has`, vector.length);
  }
}
