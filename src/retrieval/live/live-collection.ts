/**
 * A generation with the changes of the journal on top.
 *
 * The generation is never touched. What came since is kept per concept: items (changed-items.ts), users (changed-users.ts) and the vectors of
 * each space (changed-space.ts). After every batch of changes a new `Collection` is made of both, as they are then; questions that are
 * under way keep the one they began with, so that each is answered from one state, and none ever waits.
 */

import { breathe } from '../../core/abort.js';
import { Collection, type Generation } from '../collection.js';
import { Stoplists } from '../filters/stoplists.js';
import type { Entry, UpsertChange } from '../journal/entry.js';
import type { Journal } from '../journal/journal.js';
import { ChangedItems, type Moment } from './changed-items.js';
import { ChangedSpace, type Placement } from './changed-space.js';
import { ChangedUsers } from './changed-users.js';
import { LiveCatalogue, LiveNames } from './live-catalogue.js';
import { LiveFilters } from './live-filters.js';
import { LivePasts } from './live-pasts.js';
import { Placer } from './placer.js';

/** Changes that are applied between two turns of the event loop. */
const entriesAtOnce = 500;

export class LiveCollection {
  readonly generation: Generation;
  readonly #items: ChangedItems;
  readonly #users: ChangedUsers;
  readonly #spaces: ReadonlyMap<string, ChangedSpace>;
  readonly #placer: Placer;
  readonly #knownLater: ConstructorParameters<typeof LiveFilters>[3] = new WeakMap();
  #current: Collection;
  #sequence: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(generation: Generation) {
    this.generation = generation;
    this.#current = generation;
    this.#sequence = generation.manifest.journal ?? 0;
    this.#items = new ChangedItems(generation.catalogue);
    this.#users = new ChangedUsers(generation.users, generation.seen, this.#items);
    this.#spaces = new Map(generation.spaces.map((space) => [space.name, new ChangedSpace(space)]));
    this.#placer = new Placer(generation, this.#items, this.#spaces);
  }

  /** The state after the last change that was applied. */
  get current(): Collection {
    return this.#current;
  }

  /** The number of the last change that was applied. */
  get sequence(): number {
    return this.#sequence;
  }

  /** What settles changes before they are written. */
  get placer(): Placer {
    return this.#placer;
  }

  /** Puts stoplists in the place of those that it has. */
  hide(lists: ReadonlyMap<string, readonly string[]>): void {
    for (const [name, ids] of lists) this.#current.stoplists.set(name, ids);
  }

  find(id: string): number | undefined {
    return this.#items.find(id);
  }

  findUser(id: string): number | undefined {
    return this.#users.find(id);
  }

  /**
   * Applies what the journal holds beyond what was applied. Calls wait for each other; questions do not.
   * @throws NighError Trimmed where changes that this generation lacks are gone; CHECKSUM_MISMATCH, FORMAT, IO
   */
  catchUp(journal: Journal): Promise<number> {
    const turn = this.#turn.then(async () => {
      for (;;) {
        const entries = journal.after(this.#sequence, entriesAtOnce);
        if (entries.length === 0) break;
        await this.#apply(entries);
        await breathe(undefined);
      }
      return this.#sequence;
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #apply(entries: readonly Entry[]): Promise<void> {
    const { begin } = this.#items;
    const added = new Map([...this.#spaces.keys()].map((name) => [name, new Map<number, Placement>()]));
    const ended: number[] = [];
    for (const { sequence, change } of entries) {
      switch (change.type) {
        case 'upsert': {
          const old = this.#items.find(change.id);
          const places = await this.#placesOf(change, old, added);
          const item = this.#items.put(change.id, change.title, change.attributes, sequence);
          for (const [space, placement] of places) added.get(space)?.set(item, placement);
          if (old !== undefined) ended.push(old);
          break;
        }
        case 'delete': {
          const old = this.#items.remove(change.id, sequence);
          if (old !== undefined) ended.push(old);
          break;
        }
        case 'interactions':
          this.#addInteractions(change.events, sequence);
          break;
        case 'forget':
          this.#users.forget(change.user, sequence);
          break;
      }
    }
    for (const [name, space] of this.#spaces) await space.change(added.get(name)!, ended, begin);
    this.#sequence = entries.at(-1)!.sequence;
    this.#current = this.#now();
  }

  /** Where a change puts its item; what was made by other embedders than this generation's is made anew. */
  async #placesOf(
    change: UpsertChange,
    old: number | undefined,
    added: ReadonlyMap<string, ReadonlyMap<number, Placement>>,
  ): Promise<ReadonlyMap<string, Placement>> {
    const where = (space: string) =>
      old === undefined ? undefined : (added.get(space)?.get(old) ?? this.#spaces.get(space)?.placement(old));
    const places = new Map<string, Placement>();
    if (change.fit !== this.#placer.fit) return this.#placer.placeAnew(change, where);
    for (const [space, stored] of Object.entries(change.spaces)) {
      const placement = stored === 'kept' ? where(space) : stored;
      if (placement !== undefined) places.set(space, placement);
    }
    return places;
  }

  #addInteractions(events: Extract<Entry['change'], { type: 'interactions' }>['events'], sequence: number): void {
    const byUser = new Map<string, { item: number; value: number; timestamp: number | undefined }[]>();
    for (const { user, item, value, timestamp } of events) {
      // Of another generation than it was written over, where the item is not there.
      const found = this.#items.find(item);
      if (found === undefined) continue;
      const deeds = byUser.get(user) ?? [];
      deeds.push({ item: found, value, timestamp });
      byUser.set(user, deeds);
    }
    for (const [user, deeds] of byUser) this.#users.add(user, deeds, sequence);
  }

  #now(): Collection {
    const { generation } = this;
    const moment: Moment = {
      at: this.#sequence,
      items: this.#items.end,
      users: this.#users.end,
      itemCount: this.#items.count,
      userCount: this.#users.count,
    };
    const seen = new LivePasts(this.#items, this.#users, moment);
    const catalogue = new LiveCatalogue(this.#items, moment, seen);
    const users = new LiveNames(this.#users, moment);
    const isGone = (user: number) => this.#users.hasEnded(user, moment.at);
    const isOutdated = (user: number) => this.#users.hasChanged(user, moment.at);
    const later = () =>
      Array.from({ length: moment.items - this.#items.begin }, (_, i) => this.#items.later(this.#items.begin + i));
    return new Collection({
      manifest: generation.manifest,
      sequence: moment.at,
      ...{ catalogue, users, seen },
      userCount: moment.userCount,
      spaces: generation.spaces.map(({ name }) => this.#spaces.get(name)!.space(isGone, isOutdated)),
      embedders: generation.embedders,
      pictures: generation.pictures,
      filters: new LiveFilters(generation.filters, this.#items, moment, this.#knownLater),
      stoplists: new Stoplists(catalogue, this.#current.stoplists.lists),
      content: () => generation.content.followedBy(later().map(({ attributes }) => attributes)),
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    for (const space of this.#spaces.values()) space.close();
    await this.generation.closeAll();
  }
}
