/** The users of a generation and what they did since, at every state (see changed-items.ts). */
import type { Interaction, SeenLists } from '../seen-lists.js';
import type { StringIndex } from '../string-index.js';
import type { ChangedItems } from './changed-items.js';
import { Versions } from './versions.js';

/** What somebody did. */
export interface Deed {
  readonly item: number;
  readonly value: number;
  readonly timestamp: number | undefined;
}

export class ChangedUsers {
  readonly base: StringIndex;
  readonly basePasts: SeenLists;
  readonly #items: ChangedItems;
  readonly #later: string[] = [];
  readonly #current = new Versions<string, number | undefined>();
  readonly #ended = new Map<number, number>();
  /** Whole pasts of those who did something, by item as its ordinal was then. */
  readonly #pasts = new Versions<number, readonly Interaction[]>();
  #count: number;

  constructor(base: StringIndex, basePasts: SeenLists, items: ChangedItems) {
    this.base = base;
    this.basePasts = basePasts;
    this.#items = items;
    this.#count = base.size;
  }

  get begin(): number {
    return this.base.size;
  }

  get end(): number {
    return this.begin + this.#later.length;
  }

  get count(): number {
    return this.#count;
  }

  /** The id of an ordinal. */
  id(user: number): string {
    return user < this.begin ? this.base.at(user) : this.#later[user - this.begin]!;
  }

  find(id: string, at = Number.POSITIVE_INFINITY): number | undefined {
    const changed = this.#current.get(id, at);
    return changed === undefined ? this.base.find(id) : changed.value;
  }

  hasEnded(user: number, at: number): boolean {
    const ended = this.#ended.get(user);
    return ended !== undefined && ended <= at;
  }

  hasChanged(user: number, at: number): boolean {
    return this.#pasts.get(user, at) !== undefined && !this.hasEnded(user, at);
  }

  /** Users who had done something since the generation, ascending. */
  changed(at: number): number[] {
    return [...this.#pasts.keys()].filter((user) => this.hasChanged(user, at)).sort((a, b) => a - b);
  }

  /** Users who had been forgotten, ascending. */
  gone(at: number): number[] {
    return [...this.#ended.keys()].filter((user) => this.hasEnded(user, at)).sort((a, b) => a - b);
  }

  /** What a user had done, by item as it is recorded: `ChangedItems.follow` tells what became of each. */
  recorded(user: number, at: number): readonly Interaction[] {
    if (this.hasEnded(user, at)) return [];
    return this.#pasts.get(user, at)?.value ?? (user < this.begin ? this.basePasts.pastOf(user) : []);
  }

  /** What a user had done, by item, ascending; what was done with items that are gone is left out. */
  past(user: number, at: number): readonly Interaction[] {
    const recorded = this.recorded(user, at);
    if (!recorded.some(({ item }) => this.#items.hasEnded(item, at))) return recorded;
    return recorded
      .flatMap((interaction) => {
        const item = this.#items.follow(interaction.item, at);
        return item === undefined ? [] : [{ ...interaction, item }];
      })
      .sort((a, b) => a.item - b.item);
  }

  /** Adds what somebody did, who may be new; what they did before with the same item is replaced. */
  add(id: string, deeds: readonly Deed[], at: number): void {
    let user = this.find(id);
    if (user === undefined) {
      user = this.end;
      this.#later.push(id);
      this.#current.set(id, at, user);
      this.#count++;
    }
    const past = new Map(
      this.past(user, Number.POSITIVE_INFINITY).map((interaction) => [interaction.item, interaction]),
    );
    for (const { item, value, timestamp } of deeds) past.set(item, { item, value, timestamp });
    this.#pasts.set(
      user,
      at,
      [...past.values()].sort((a, b) => a.item - b.item),
    );
  }

  /** @returns the ordinal that they had, or undefined if nobody has this id */
  forget(id: string, at: number): number | undefined {
    const user = this.find(id);
    if (user === undefined) return undefined;
    this.#current.set(id, at, undefined);
    this.#ended.set(user, at);
    this.#count--;
    return user;
  }
}
