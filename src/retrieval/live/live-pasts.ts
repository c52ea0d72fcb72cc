import { ratingsOf } from '../../embeddings/popularity.js';
import type { Interaction, Pasts, RatedItems } from '../seen-lists.js';
import type { ChangedItems, Moment } from './changed-items.js';
import type { ChangedUsers } from './changed-users.js';

/** What users had done at a moment. */
export class LivePasts implements Pasts {
  readonly #items: ChangedItems;
  readonly #users: ChangedUsers;
  readonly #moment: Moment;
  #popularity: Uint32Array | undefined;
  #rated: RatedItems | undefined;
  #changed: readonly number[] | undefined;
  #gone: readonly number[] | undefined;

  constructor(items: ChangedItems, users: ChangedUsers, moment: Moment) {
    this.#items = items;
    this.#users = users;
    this.#moment = moment;
  }

  get users(): number {
    return this.#moment.users;
  }

  /** Counted when it is first asked for. */
  get popularity(): Uint32Array {
    this.#popularity ??= this.#count();
    return this.#popularity;
  }

  get mostPopular(): number {
    return this.popularity.reduce((most, count) => Math.max(most, count), 0);
  }

  get interactions(): number {
    return this.popularity.reduce((sum, count) => sum + count, 0);
  }

  /** From what the generation's items were given in all, and what changed of it. */
  get rated(): RatedItems {
    this.#rated ??= this.#rate();
    return this.#rated;
  }

  get changed(): readonly number[] {
    this.#changed ??= this.#users.changed(this.#moment.at);
    return this.#changed;
  }

  get gone(): readonly number[] {
    this.#gone ??= this.#users.gone(this.#moment.at);
    return this.#gone;
  }

  hasChanged(user: number): boolean {
    return this.#users.hasChanged(user, this.#moment.at);
  }

  itemsOf(user: number): Uint32Array {
    return Uint32Array.from(this.#users.past(user, this.#moment.at), ({ item }) => item);
  }

  pastOf(user: number): Interaction[] {
    return [...this.#users.past(user, this.#moment.at)];
  }

  #count(): Uint32Array {
    const { at, items } = this.#moment;
    const { basePasts, begin } = this.#users;
    const counts = new Uint32Array(items);
    counts.set(basePasts.popularity);
    for (const user of [...this.changed, ...this.gone]) {
      if (user < begin) for (const item of basePasts.itemsOf(user)) counts[item] = counts[item]! - 1;
      for (const { item } of this.#users.recorded(user, at)) counts[item] = counts[item]! + 1;
    }
    this.#handOn(counts);
    return counts;
  }

  #rate(): RatedItems {
    const { at, items, itemCount } = this.#moment;
    const { basePasts, begin } = this.#users;
    const sums = new Float64Array(items);
    sums.set(basePasts.sums);
    let { lowest, highest } = basePasts.range;
    for (const user of [...this.changed, ...this.gone]) {
      const before = user < begin ? basePasts.pastOf(user) : [];
      for (const { item, value } of before) sums[item] = sums[item]! - value;
      for (const { item, value } of this.#users.recorded(user, at)) {
        sums[item] = sums[item]! + value;
        lowest = Math.min(lowest, value);
        highest = Math.max(highest, value);
      }
    }
    this.#handOn(sums);
    const { interactions } = this;
    const overall = sums.reduce((sum, each) => sum + each, 0) / interactions;
    return { scores: ratingsOf(sums, this.popularity, overall, interactions / itemCount), lowest, highest };
  }

  /** What is known of an item that was changed goes to the one that followed it, which may have been followed itself. */
  #handOn(known: Uint32Array | Float64Array): void {
    const { at, items } = this.#moment;
    for (const item of this.#items.ended(at)) {
      const successor = this.#items.successor(item);
      if (successor !== undefined && successor < items) known[successor] = known[successor]! + known[item]!;
      known[item] = 0;
    }
  }
}
