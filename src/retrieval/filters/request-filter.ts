/** What an answer may hold: every filter of a question joined into one set, before the search, so that the search itself keeps to it. */
import { IdSet } from '../../index/id-set.js';
import type { ItemSet } from './item-set.js';

/** Why an item may not be returned. */
export type FilterReason = 'hidden' | 'where' | 'allow' | 'deny' | 'seen' | 'asked';

export interface FilterParts {
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

export class RequestFilter {
  /** For a search; undefined where everything is allowed. */
  readonly ids: IdSet | undefined;
  readonly #parts: FilterParts;

  constructor(parts: FilterParts) {
    this.#parts = parts;
    const { hidden, where, allow, deny, seen, asked } = parts;
    const sets: IdSet[] = [];
    if (where !== undefined) sets.push(where.ids);
    if (allow !== undefined) sets.push(IdSet.allow(allow));
    if (hidden !== undefined) sets.push(hidden.others);
    const without = [asked, seen, deny].filter(({ length }) => length > 0);
    if (without.length > 0) sets.push(IdSet.deny(joined(without)));
    this.ids = sets.reduce<IdSet | undefined>((all, set) => (all === undefined ? set : all.and(set)), undefined);
  }

  allows(item: number): boolean {
    return this.ids === undefined || this.ids.has(item);
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
  if (lists.length === 1) return lists[0]!;
  const all = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}
