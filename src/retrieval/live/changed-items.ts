/**
 * The items of a generation and what became of them since.
 *
 * An item that is new or changed is given a new ordinal, after all others, and what an ordinal stands for never changes again: a change ends
 * the old ordinal and begins another, which is its successor; a deletion only ends one. So a state of the catalogue is two numbers: the
 * last change that it knows, and how many ordinals there were. Whoever began with a state goes on seeing exactly that one, whatever
 * comes after, and nothing is copied.
 */
import type { Catalogue } from '../catalogue.js';
import { titleKey } from '../title-finder.js';
import type { AttributeValue } from '../types.js';
import { Versions } from './versions.js';

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What a state of the catalogue is told by. */
export interface Moment {
  /** The number of the last change that it knows. */
  readonly at: number;
  /** Ordinals of items are below it. */
  readonly items: number;
  /** Ordinals of users are below it. */
  readonly users: number;
  /** How many items there are. */
  readonly itemCount: number;
  readonly userCount: number;
}

/** An item that came after the generation was built. */
export interface LaterItem {
  readonly id: string;
  readonly title: string;
  /** What titles are compared by. */
  readonly key: string;
  readonly attributes: Attributes;
}

export class ChangedItems {
  readonly base: Catalogue;
  readonly #later: LaterItem[] = [];
  readonly #current = new Versions<string, number | undefined>();
  /** By ordinal, the change that ended it. */
  readonly #ended = new Map<number, number>();
  readonly #successors = new Map<number, number>();
  #count: number;
  #baseEnded = 0;

  constructor(base: Catalogue) {
    this.base = base;
    this.#count = base.size;
  }

  /** The first ordinal that the generation does not have. */
  get begin(): number {
    return this.base.size;
  }

  /** One past the last ordinal. */
  get end(): number {
    return this.begin + this.#later.length;
  }

  /** How many items there are after the last change. */
  get count(): number {
    return this.#count;
  }

  /** How many of the generation's are gone or changed. */
  get baseEnded(): number {
    return this.#baseEnded;
  }

  /** Of an ordinal from `begin` on. */
  later(ordinal: number): LaterItem {
    return this.#later[ordinal - this.begin]!;
  }

  find(id: string, at = Number.POSITIVE_INFINITY): number | undefined {
    const changed = this.#current.get(id, at);
    return changed === undefined ? this.base.find(id) : changed.value;
  }

  hasEnded(ordinal: number, at: number): boolean {
    const ended = this.#ended.get(ordinal);
    return ended !== undefined && ended <= at;
  }

  /** The ordinals that had ended, ascending. */
  ended(at: number): number[] {
    const ordinals: number[] = [];
    for (const [ordinal, since] of this.#ended) if (since <= at) ordinals.push(ordinal);
    return ordinals.sort((a, b) => a - b);
  }

  /** What an ordinal's item had become; undefined if it was deleted. */
  follow(ordinal: number, at = Number.POSITIVE_INFINITY): number | undefined {
    let now: number | undefined = ordinal;
    while (now !== undefined && this.hasEnded(now, at)) now = this.#successors.get(now);
    return now;
  }

  /** The item that directly took an ordinal's place, or undefined. */
  successor(ordinal: number): number | undefined {
    return this.#successors.get(ordinal);
  }

  /** Adds an item, in the place of the one of its id. @returns its ordinal */
  put(id: string, title: string, attributes: Attributes, at: number): number {
    const old = this.find(id);
    const ordinal = this.end;
    this.#later.push({ id, title, key: titleKey(title), attributes });
    this.#current.set(id, at, ordinal);
    this.#count++;
    if (old !== undefined) {
      this.#end(old, at);
      this.#successors.set(old, ordinal);
    }
    return ordinal;
  }

  /** @returns the ordinal that it had, or undefined if there was no such item */
  remove(id: string, at: number): number | undefined {
    const old = this.find(id);
    if (old === undefined) return undefined;
    this.#current.set(id, at, undefined);
    this.#end(old, at);
    return old;
  }

  #end(ordinal: number, at: number): void {
    this.#ended.set(ordinal, at);
    this.#count--;
    if (ordinal < this.begin) this.#baseEnded++;
  }
}
