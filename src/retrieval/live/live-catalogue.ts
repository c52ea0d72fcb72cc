import { type AttributeColumn, CatalogueLookup } from '../catalogue-lookup.js';
import type { Pasts } from '../seen-lists.js';
import type { Names } from '../string-index.js';
import { areAlike, TitleFinder } from '../title-finder.js';
import type { ChangedItems, Moment } from './changed-items.js';
import type { ChangedUsers } from './changed-users.js';

/** The items as they were at a moment. */
export class LiveCatalogue extends CatalogueLookup {
  override readonly size: number;
  override readonly count: number;
  override readonly columns: ReadonlyMap<string, AttributeColumn>;
  protected override readonly search: TitleFinder;
  readonly #items: ChangedItems;
  readonly #moment: Moment;
  readonly #largest = new Map<string, number>();

  constructor(items: ChangedItems, moment: Moment, pasts: Pasts) {
    super();
    this.#items = items;
    this.#moment = moment;
    this.size = moment.items;
    this.count = moment.itemCount;
    const { begin, base } = items;
    this.columns = new Map(
      [...base.columns].map(([name, { type, read }]) => [
        name,
        { type, read: (item) => (item < begin ? read(item) : items.later(item).attributes[name]) },
      ]),
    );
    this.search = new LiveTitles(items, moment, pasts);
  }

  override get sorted(): Uint32Array {
    const later: number[] = [];
    for (let item = this.#items.begin; item < this.size; item++) if (this.isLive(item)) later.push(item);
    const stored = this.#items.base.sorted.filter((item) => this.isLive(item));
    return inOrder(stored, later, (item) => this.id(item));
  }

  override id(item: number): string {
    return item < this.#items.begin ? this.#items.base.id(item) : this.#items.later(item).id;
  }

  override title(item: number): string {
    return item < this.#items.begin ? this.#items.base.title(item) : this.#items.later(item).title;
  }

  override find(id: string): number | undefined {
    return this.#items.find(id, this.#moment.at);
  }

  override isLive(item: number): boolean {
    return item < this.size && !this.#items.hasEnded(item, this.#moment.at);
  }

  override largest(attribute: string): number {
    const known = this.#largest.get(attribute);
    if (known !== undefined) return known;
    const { base, begin, baseEnded } = this.#items;
    // The largest of the generation's own holds as long as they are all there.
    let largest = baseEnded === 0 ? base.largest(attribute) : Number.NEGATIVE_INFINITY;
    const column = this.columns.get(attribute);
    for (let item = baseEnded === 0 ? begin : 0; item < this.size; item++) {
      if (!this.isLive(item)) continue;
      const value = column?.read(item);
      if (typeof value === 'number' && value > largest && value < Number.POSITIVE_INFINITY) largest = value;
    }
    this.#largest.set(attribute, largest);
    return largest;
  }
}

/** The generation's index of titles, and a pass over what came later. */
class LiveTitles extends TitleFinder {
  readonly #items: ChangedItems;
  readonly #moment: Moment;
  readonly #pasts: Pasts;

  constructor(items: ChangedItems, moment: Moment, pasts: Pasts) {
    super();
    this.#items = items;
    this.#moment = moment;
    this.#pasts = pasts;
  }

  override get popularity(): Uint32Array {
    return this.#pasts.popularity;
  }

  override named(key: string): readonly number[] {
    return this.#live(this.#items.base.search.named(key), (later) => later === key);
  }

  override beginning(key: string): readonly number[] {
    return this.#live(this.#items.base.search.beginning(key), (later) => later.startsWith(key));
  }

  override containing(words: readonly string[], asPrefix: boolean): readonly number[] {
    return this.#live(this.#items.base.search.containing(words, asPrefix), (later) => {
      const own = later.split(' ');
      return words.every((word) => own.some((each) => (asPrefix ? each.startsWith(word) : each === word)));
    });
  }

  override wordsOf(item: number): number {
    const { base, begin } = this.#items;
    return item < begin ? base.search.wordsOf(item) : this.#items.later(item).key.split(' ').length;
  }

  override alike(word: string): ReadonlySet<number> {
    const own = (later: string) => later.split(' ').some((each) => areAlike(word, each));
    return new Set(this.#live(this.#items.base.search.alike(word), own));
  }

  #live(ofBase: Iterable<number>, fits: (key: string) => boolean): number[] {
    const { begin } = this.#items;
    const { at, items } = this.#moment;
    const live: number[] = [];
    for (const item of ofBase) if (!this.#items.hasEnded(item, at)) live.push(item);
    for (let item = begin; item < items; item++) {
      if (!this.#items.hasEnded(item, at) && fits(this.#items.later(item).key)) live.push(item);
    }
    return live;
  }
}

/** The users as they were at a moment. */
export class LiveNames implements Names {
  readonly size: number;
  readonly #users: ChangedUsers;
  readonly #at: number;

  constructor(users: ChangedUsers, { at, users: size }: Moment) {
    this.#users = users;
    this.#at = at;
    this.size = size;
  }

  get sorted(): Uint32Array {
    const { base, begin } = this.#users;
    const later: number[] = [];
    for (let user = begin; user < this.size; user++) if (!this.#users.hasEnded(user, this.#at)) later.push(user);
    const stored = base.sorted.filter((user) => !this.#users.hasEnded(user, this.#at));
    return inOrder(stored, later, (user) => this.at(user));
  }

  find(id: string): number | undefined {
    return this.#users.find(id, this.#at);
  }

  at(user: number): string {
    return this.#users.id(user);
  }
}

/** Ordinals that are in the order of their names, and some that are not, all in that order: by UTF-8 bytes. */
function inOrder(sorted: Uint32Array, others: readonly number[], nameOf: (ordinal: number) => string): Uint32Array {
  if (others.length === 0) return sorted;
  const bytesOf = (ordinal: number) => Buffer.from(nameOf(ordinal), 'utf8');
  const named = others.map((ordinal) => ({ ordinal, name: bytesOf(ordinal) }));
  named.sort((a, b) => Buffer.compare(a.name, b.name));
  const all = new Uint32Array(sorted.length + others.length);
  let at = 0;
  let next = 0;
  for (const ordinal of sorted) {
    const name = next < named.length ? bytesOf(ordinal) : undefined;
    while (name !== undefined && next < named.length && Buffer.compare(named[next]!.name, name) < 0) {
      all[at++] = named[next++]!.ordinal;
    }
    all[at++] = ordinal;
  }
  while (next < named.length) all[at++] = named[next++]!.ordinal;
  return all;
}
