import { requireColumn } from '../filters/compile.js';
import type { Request, Scored } from './stages.js';

type GroupName = string | number | boolean;

/** How many of every group were chosen. An item that lacks the attribute is alone in its group; one of several tags is in several. */
export class Groups {
  readonly #most: number;
  readonly #namesOf: (p: number) => readonly GroupName[];
  readonly #counts = new Map<GroupName, number>();
  readonly #read = new Map<number, readonly GroupName[]>();

  constructor({ query: { perGroup }, collection }: Request, { items }: Scored) {
    this.#most = perGroup?.most ?? Number.POSITIVE_INFINITY;
    if (perGroup === undefined) {
      this.#namesOf = () => [];
      return;
    }
    const { read } = requireColumn(collection.catalogue.columns, perGroup.attribute, 'perGroup.attribute');
    this.#namesOf = (p) => {
      const value = read(items[p]!);
      return value === undefined ? [] : typeof value === 'object' ? value : [value];
    };
  }

  isFull(p: number): boolean {
    return this.#names(p).some((name) => (this.#counts.get(name) ?? 0) >= this.#most);
  }

  add(p: number): void {
    for (const name of this.#names(p)) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Read once: a text is decoded anew each time. */
  #names(p: number): readonly GroupName[] {
    const known = this.#read.get(p);
    if (known !== undefined) return known;
    const names = [...new Set(this.#namesOf(p))];
    this.#read.set(p, names);
    return names;
  }
}
