/** What a collection with changes must answer, written plainly: maps and loops, nothing of the code under test. */
import type { Where } from '../../../src/retrieval/filters/predicate.js';
import { meets, type RandomItem, type RandomWorld } from './random-world.js';

export interface ModelItem {
  readonly title: string;
  readonly attributes: Pick<RandomItem, 'year' | 'kind' | 'tags'>;
  readonly vectors: Readonly<Record<string, readonly number[]>>;
}

export interface Scored {
  readonly id: string;
  readonly score: number;
}

export class LiveModel {
  readonly items = new Map<string, ModelItem>();
  /** What each user has, with its value. */
  readonly users = new Map<string, Map<string, number>>();
  /** Only of those who are not forgotten. */
  readonly userVectors: Map<string, readonly number[]>;

  constructor({ items, users, userVectors }: RandomWorld) {
    for (const { id, year, kind, tags, vectors } of items) {
      const attributes = {
        ...(year === undefined ? {} : { year }),
        ...(kind === undefined ? {} : { kind }),
        ...(tags === undefined || tags.length === 0 ? {} : { tags }),
      };
      this.items.set(id, { title: id, attributes, vectors });
    }
    for (const [user, has] of users) this.users.set(user, new Map(has.map((item) => [item, 1])));
    this.userVectors = new Map(userVectors);
  }

  upsert(id: string, fields: Partial<ModelItem>): void {
    const before = this.items.get(id) ?? { title: id, attributes: {}, vectors: {} };
    this.items.set(id, {
      title: fields.title ?? before.title,
      attributes: fields.attributes ?? before.attributes,
      vectors: { ...before.vectors, ...fields.vectors },
    });
  }

  /** What was done with it is gone with it, should it ever come back. */
  delete(id: string): boolean {
    for (const has of this.users.values()) has.delete(id);
    return this.items.delete(id);
  }

  interact(user: string, item: string, value: number): void {
    const has = this.users.get(user) ?? new Map<string, number>();
    has.set(item, value);
    this.users.set(user, has);
  }

  forget(user: string): boolean {
    this.userVectors.delete(user);
    return this.users.delete(user);
  }

  popularity(item: string): number {
    return [...this.users.values()].filter((has) => has.has(item)).length;
  }

  get interactions(): number {
    return [...this.users.values()].reduce((sum, has) => sum + has.size, 0);
  }

  similar(item: string, space: string, where?: Where): Scored[] {
    const own = this.items.get(item)!.vectors[space]!;
    return this.#ranked(space, (vector) => cosine(own, vector), where).filter(({ id }) => id !== item);
  }

  /** By the vector that came with the user, else by the mean of what they have. */
  recommend(user: string, where?: Where): Scored[] | undefined {
    const has = this.users.get(user)!;
    const vector = this.userVectors.get(user) ?? this.#taste(has);
    if (vector === undefined) return undefined;
    return this.#ranked('taste', (own) => dot(vector, own), where).filter(({ id }) => !has.has(id));
  }

  #taste(has: ReadonlyMap<string, number>): number[] | undefined {
    const sum = Array.from({ length: 6 }, () => 0);
    for (const [item, value] of has) {
      const vector = this.items.get(item)?.vectors.taste;
      vector?.forEach((each, d) => {
        sum[d]! += Math.sign(value) * (value < 0 ? 0.5 : 1) * each;
      });
    }
    const isLiked = [...has].some(([item, value]) => value > 0 && this.items.get(item)?.vectors.taste !== undefined);
    const length = Math.hypot(...sum);
    return isLiked && length > 1e-4 ? sum.map((each) => each / length) : undefined;
  }

  #ranked(space: string, score: (vector: readonly number[]) => number, where: Where | undefined): Scored[] {
    return [...this.items]
      .flatMap(([id, { vectors, attributes }]) => {
        const vector = vectors[space];
        if (vector === undefined || (where !== undefined && !meets({ id, ...attributes, vectors }, where))) return [];
        return [{ id, score: score(vector) }];
      })
      .sort((a, b) => b.score - a.score);
  }
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0);
}

function cosine(a: readonly number[], b: readonly number[]): number {
  return dot(a, b) / Math.hypot(...a) / Math.hypot(...b);
}
