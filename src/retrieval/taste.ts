/**
 * What somebody's past says of their taste, in spaces without user vectors: the mean of the items' directions, each by its weight, those
 * of what they disliked taken away.
 *
 * Rocchio, "Relevance feedback in information retrieval", in Salton (ed.), "The SMART retrieval system", 1971:
 *
 *   user = Σ_liked w_i x_i − dislikes · Σ_disliked |w_i| x_i, at unit length
 *   w_i  = (value − neutral) · 2^(−age / half-life)      age: how much older it is than their latest interaction
 *
 * Computed when the question is asked, so that an interaction counts from the moment it is known.
 */
import { type Field, number, optional, readParams } from '../core/params.js';
import type { Interaction } from './seen-lists.js';
import type { HistoryItems } from './space.js';

/** How a past becomes a taste. */
export interface Taste {
  /**
   * The value of an interaction that says nothing, such as 3 of 5 stars: above it is liked, below it disliked, by the difference. Default:
   * values say no more than their sign, as that of a purchase does.
   */
  readonly neutral?: number;
  /** What a dislike weighs beside a like that is as strong, 0 to 100. 0 passes over what was disliked. Default 0.5. */
  readonly dislikes?: number;
  /** An interaction so many days older than the latest of the same person counts half. Default: age does not matter. */
  readonly halfLifeDays?: number;
}

const tasteSchema = {
  neutral: optional(number()),
  dislikes: optional(number({ min: 0, max: 100 })),
  halfLifeDays: optional(number({ above: 0 })),
};

/** The key `taste`; only what is given is in it. */
export const tasteField: Field<Taste> = {
  optional: true,
  fallback: {},
  read: (value, path) =>
    Object.fromEntries(
      Object.entries(readParams(tasteSchema, value, path)).filter(([, given]) => given !== undefined),
    ) as Taste,
};

const defaultDislikes = 0.5;
const secondsOfDay = 86_400;

/** Items with their weights in a taste: above 0 what was liked, below 0 what was disliked. */
export function tasteOf(past: readonly Interaction[], { neutral, dislikes, halfLifeDays }: Taste): HistoryItems {
  const decay = decayOf(past, halfLifeDays);
  const weights = Float32Array.from(past, (interaction) => {
    const { value } = interaction;
    const liking = neutral === undefined ? Math.sign(value) : value - neutral;
    return decay(interaction) * (liking < 0 ? liking * (dislikes ?? defaultDislikes) : liking);
  });
  return { items: Uint32Array.from(past, ({ item }) => item), weights };
}

/** One thing that a newcomer liked or, with a weight below 0, disliked. */
export interface Pick {
  readonly item: number;
  readonly weight: number;
  readonly timestamp: number | undefined;
}

/** Picks say themselves what they weigh; what a dislike counts and how they age is as for users. An item's weights are added. */
export function tasteOfPicks(picks: readonly Pick[], { dislikes, halfLifeDays }: Taste): HistoryItems {
  const decay = decayOf(picks, halfLifeDays);
  const weights = new Map<number, number>();
  for (const pick of picks) {
    const weight = decay(pick) * (pick.weight < 0 ? pick.weight * (dislikes ?? defaultDislikes) : pick.weight);
    weights.set(pick.item, (weights.get(pick.item) ?? 0) + weight);
  }
  return { items: Uint32Array.from(weights.keys()), weights: Float32Array.from(weights.values()) };
}

type Timed = { readonly timestamp: number | undefined };

/** What is left of a weight for its age; what has no time is of today. */
function decayOf(past: readonly Timed[], halfLifeDays: number | undefined): (of: Timed) => number {
  if (halfLifeDays === undefined) return () => 1;
  let latest = Number.NEGATIVE_INFINITY;
  for (const { timestamp } of past) if (timestamp !== undefined && timestamp > latest) latest = timestamp;
  return ({ timestamp }) => (timestamp === undefined ? 1 : 2 ** ((timestamp - latest) / (halfLifeDays * secondsOfDay)));
}
