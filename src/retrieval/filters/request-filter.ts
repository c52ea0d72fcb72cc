/** What an answer may hold: every filter of a question joined into one set, before the search, so that the search itself keeps to it. */
import { IdSet } from '../../index/id-set.js';
import type { ItemSet } from './item-set.js';

/** Why an item may not be returned. */
export type FilterReason = 'hidden' | 'where' | 'allow' | 'deny' | 'seen' | 'asked';

export interface FilterParts {
  /** Whether the item is there at all; searches leave out by themselves what is not. */
  readonly isLive: (item: number) => boolean;
  /** On a stoplist. */
  readonly hidden: ItemSet | undefined;
  /** What `where` allows. */
  readonly where: ItemSet | undefined;
  /** The only ones that may be returned. */
  readonly allow: Uint32Array | undefined;
  readonly deny: Uint32Array;
  /** What the user has. */
  readonly seen: Uint32Array;
  /** The item that was asked about. */
  readonly asked: Uint32Array;
}

/**
 * So many items are left out of what a search found rather than in it: it is asked for as many more, which costs less than the set that a
 * native search would need, made for this one question.
 */
const few = 16;

export class RequestFilter {
  /** For a search; undefined where it filters by nothing. What it lets through may still be one of `dropped`. */
  readonly searchIds: IdSet | undefined;
  /** A few items that a search may find and nobody may return. */
  readonly dropped: readonly number[];
  readonly #parts: FilterParts;
  /** Those that were denied, seen or asked about and are many. */
  readonly #denied: IdSet | undefined;
  readonly #allowed: IdSet | undefined;

  constructor(parts: FilterParts) {
    this.#parts = parts;
    const { hidden, where, allow, deny, seen, asked } = parts;
    const areFew = asked.length + seen.length + deny.length <= few;
    this.dropped = areFew ? [...asked, ...seen, ...deny] : [];
    this.#denied = areFew ? undefined : IdSet.deny(joined([asked, seen, deny]));
    this.#allowed = allow === undefined ? undefined : IdSet.allow(allow);
    const sets = [where?.ids, this.#allowed, hidden?.others, this.#denied].filter((set) => set !== undefined);
    this.searchIds = sets.reduce<IdSet | undefined>((all, set) => all?.and(set) ?? set, undefined);
  }

  /** Everything that may be returned, as one set, made anew; undefined where everything may. */
  get ids(): IdSet | undefined {
    if (this.dropped.length === 0) return this.searchIds;
    const others = IdSet.deny(this.dropped);
    return this.searchIds?.and(others) ?? others;
  }

  allows(item: number): boolean {
    const { hidden, where, isLive } = this.#parts;
    return (
      isLive(item) &&
      !this.dropped.includes(item) &&
      where?.has(item) !== false &&
      hidden?.has(item) !== true &&
      this.#allowed?.has(item) !== false &&
      this.#denied?.has(item) !== false
    );
  }

  /** The first reason against an item, or undefined where it is allowed. */
  reasonAgainst(item: number): FilterReason | undefined {
    const { hidden, where, allow, deny, seen, asked } = this.#parts;
    if (asked.includes(item)) return 'asked';
    if (hidden?.has(item) === true) return 'hidden';
    if (seen.includes(item)) return 'seen';
    if (deny.includes(item)) return 'deny';
    if (allow !== undefined && !allow.includes(item)) return 'allow';
    return where === undefined || where.has(item) ? undefined : 'where';
  }
}

function joined(lists: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}
