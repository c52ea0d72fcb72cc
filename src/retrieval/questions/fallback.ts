/** Scores for a question that no space can answer: by the attributes that items share, or by how many people have them. */
import type { Collection } from '../collection.js';
import type { Part } from './part.js';

/**
 * By item, 0 to 1: the cosine of its tags and of those that the question's items have, each by how rare it is. Undefined where these have none.
 */
export function contentScores(collection: Collection, parts: readonly Part[]): Float64Array | undefined {
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

/** By item, 0 to 1: how many people have it, as a share of the most that any has. */
export function popularityScores({ seen: { popularity, mostPopular } }: Collection): Float64Array {
  const most = Math.max(1, mostPopular);
  return new Float64Array(popularity).map((count) => count / most);
}
