/** Scores for a question that no space can answer: by the attributes that items share, by their ratings, or by how many people have them. */
import type { Collection } from '../collection.js';
import type { Part } from './part.js';

/** A score of every item. */
export interface Listing {
  readonly name: 'content' | 'weightedRating' | 'popularity';
  /** By item; items of equal score go by how many people have them. */
  readonly scores: Float64Array;
  /** All items, best first, where that is known: then only the first of them are looked at. */
  readonly order?: Uint32Array;
  /** What a score lies between, for display. */
  readonly lowest: number;
  readonly highest: number;
}

/** The first of them that has something to say. */
export function listingFor(collection: Collection, parts: readonly Part[]): Listing {
  const shares = { lowest: 0, highest: 1 };
  const content = contentScores(collection, parts);
  if (content !== undefined) return { name: 'content', scores: content, ...shares };
  if (parts.every(isSomebody) && hasRatings(collection)) return { name: 'weightedRating', ...collection.seen.rated };
  return { name: 'popularity', scores: popularityScores(collection), order: popularityOrder(collection), ...shares };
}

/** Whether it is about a person, and not about a thing. */
export function isSomebody({ kind }: Part): boolean {
  return kind === 'user' || kind === 'history';
}

/** Values that have a neutral one say how much something is liked; others, such as how often it was bought, have no mean worth knowing. */
function hasRatings({ manifest, seen }: Collection): boolean {
  return manifest.taste?.neutral !== undefined && seen.interactions > 0;
}

/**
 * By item, 0 to 1: the cosine of its tags and of those that the question's items have, each by how rare it is. Undefined where these have none.
 */
function contentScores(collection: Collection, parts: readonly Part[]): Float64Array | undefined {
  if (parts.every(({ items }) => items.items.length === 0)) return undefined;
  const { content } = collection;
  const profile = new Float64Array(content.terms);
  for (const { items } of parts) {
    items.items.forEach((item, i) => {
      const weight = items.weights[i]!;
      if (weight > 0) content.add(profile, item, weight);
    });
  }
  return content.scores(profile);
}

/** By item, 0 to 1: how many people have it, as a share of the most that any has. Made once for a collection's counts. */
function popularityScores({ seen: { popularity, mostPopular } }: Collection): Float64Array {
  const known = shares.get(popularity);
  if (known !== undefined) return known;
  const most = Math.max(1, mostPopular);
  const made = new Float64Array(popularity).map((count) => count / most);
  shares.set(popularity, made);
  return made;
}

const shares = new WeakMap<Uint32Array, Float64Array>();

/** All items, those that most people have first, ties by item. Made once for a collection's counts. */
function popularityOrder({ seen: { popularity } }: Collection): Uint32Array {
  const known = orders.get(popularity);
  if (known !== undefined) return known;
  const made = Uint32Array.from({ length: popularity.length }, (_, item) => item);
  made.sort((a, b) => popularity[b]! - popularity[a]! || a - b);
  orders.set(popularity, made);
  return made;
}

const orders = new WeakMap<Uint32Array, Uint32Array>();
