import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCollection } from '../../../src/retrieval/build-collection.js';
import type { Condition, Where } from '../../../src/retrieval/filters/predicate.js';
import { parseRecipe } from '../../../src/retrieval/recipe.js';
import { seeded } from '../../embeddings/support.js';

export interface RandomItem {
  readonly id: string;
  readonly year?: number;
  readonly kind?: string;
  readonly tags?: readonly string[];
  /** By space; absent where it lacks the space. */
  readonly vectors: Readonly<Record<string, readonly number[]>>;
}

/** A random catalogue, known from outside the code under test. */
export interface RandomWorld {
  readonly directory: string;
  readonly items: readonly RandomItem[];
  /** What each user has. */
  readonly users: ReadonlyMap<string, readonly string[]>;
  /** The user's vector in the space `taste`. */
  readonly userVectors: ReadonlyMap<string, readonly number[]>;
}

const kinds = ['book', 'film', 'song'];
const tags = ['red', 'blue', 'old', 'new', 'odd'];

/** Builds a collection of random items: space `look` (cosine), space `taste` (inner product, with users), each lacking some of the items. */
export async function randomWorld(
  directory: string,
  seed: number,
  engine: 'flat' | 'hnsw' | 'hnswlib',
): Promise<RandomWorld> {
  const random = seeded(seed);
  const below = (n: number) => Math.floor(random() * n);
  const vector = () => Array.from({ length: 6 }, () => Math.fround(random() * 2 - 1));
  const items = Array.from({ length: 40 + below(60) }, (_, n): RandomItem => {
    const vectors = {
      ...(random() < 0.8 ? { look: vector() } : {}),
      ...(random() < 0.8 ? { taste: vector() } : {}),
    };
    return {
      id: `i${n}`,
      ...(random() < 0.9 ? { year: 1980 + below(40) } : {}),
      ...(random() < 0.9 ? { kind: kinds[below(kinds.length)]! } : {}),
      ...(random() < 0.9 ? { tags: tags.filter(() => random() < 0.4) } : {}),
      vectors,
    };
  });
  const users = new Map(
    Array.from({ length: 12 }, (_, u) => [`u${u}`, items.filter(() => random() < 0.2).map(({ id }) => id)] as const),
  );
  for (const [user, list] of users) if (list.length === 0) users.set(user, ['i0']);
  const userVectors = new Map([...users.keys()].map((user) => [user, vector()] as const));
  await write(directory, { items, users, userVectors });
  const space = (file: string, more: object) => ({ embedding: 'precomputed', file, ...more, index: { kind: engine } });
  const recipe = {
    name: 'random',
    dataset: {
      source: 'jsonl',
      items: {
        path: 'items.jsonl',
        id: 'id',
        columns: { year: { type: 'number' }, kind: { type: 'text' }, tags: { type: 'tags' } },
      },
      interactions: { path: 'has.jsonl', user: 'user', item: 'item' },
    },
    spaces: {
      taste: space('taste.jsonl', { users: 'users.jsonl' }),
      look: space('look.jsonl', {}),
    },
  };
  const target = join(directory, 'random');
  await buildCollection(parseRecipe(JSON.stringify(recipe), directory), target, { threads: 1 });
  return { directory: target, items, users, userVectors };
}

async function write(
  directory: string,
  { items, users, userVectors }: Pick<RandomWorld, 'items' | 'users' | 'userVectors'>,
): Promise<void> {
  const lines = (name: string, records: readonly object[]) =>
    writeFile(join(directory, name), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  await lines(
    'items.jsonl',
    items.map(({ vectors: _, ...item }) => item),
  );
  await lines(
    'has.jsonl',
    [...users].flatMap(([user, has]) => has.map((item) => ({ user, item }))),
  );
  for (const space of ['look', 'taste']) {
    const known = items.filter(({ vectors }) => vectors[space] !== undefined);
    await lines(
      `${space}.jsonl`,
      known.map(({ id, vectors }) => ({ id, vector: vectors[space] })),
    );
  }
  await lines(
    'users.jsonl',
    [...userVectors].map(([id, vector]) => ({ id, vector })),
  );
}

/** What `where` means, written once more and plainly. */
export function meets(item: RandomItem, where: Where): boolean {
  return Object.entries(where).every(([key, value]) => {
    if (value === undefined) return true;
    if (key === 'and') return (value as Where[]).every((each) => meets(item, each));
    if (key === 'or') return (value as Where[]).some((each) => meets(item, each));
    if (key === 'not') return !meets(item, value as Where);
    const attribute = item[key as 'year' | 'kind' | 'tags'];
    const own = Array.isArray(attribute) && attribute.length === 0 ? undefined : attribute;
    if (Array.isArray(value))
      return value.some((each) => holds(own, typeof own === 'object' ? { has: each } : { eq: each }));
    if (typeof value !== 'object')
      return holds(own, typeof own === 'object' ? { has: String(value) } : { eq: value as string });
    return holds(own, value as Condition);
  });
}

function holds(own: string | number | readonly string[] | undefined, condition: Condition): boolean {
  const has = (tag: string) => typeof own === 'object' && own.includes(tag);
  const isAbove = (test: (value: number) => boolean) => typeof own === 'number' && test(own);
  return Object.entries(condition).every(([operator, operand]) => {
    switch (operator as keyof Condition) {
      case 'eq':
        return own === operand;
      case 'ne':
        return own !== operand;
      case 'lt':
        return isAbove((value) => value < operand);
      case 'lte':
        return isAbove((value) => value <= operand);
      case 'gt':
        return isAbove((value) => value > operand);
      case 'gte':
        return isAbove((value) => value >= operand);
      case 'in':
        return own !== undefined && (operand as unknown[]).includes(own);
      case 'startsWith':
        return typeof own === 'string' && own.startsWith(operand);
      case 'has':
        return has(operand);
      case 'hasAny':
        return (operand as string[]).some(has);
      case 'hasAll':
        return own !== undefined && (operand as string[]).every(has);
      default:
        return (own !== undefined) === operand;
    }
  });
}

export function cosine(a: readonly number[], b: readonly number[]): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0);
}
