/** The data of the published tables, from NIGH_DATA: read as they lie, by ordinals in order of appearance. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CsrMatrix, givenFolds, type Split } from 'nigh/evaluation';
import { readZip } from './zip.js';

/** A file of NIGH_DATA, or undefined where it is not there. */
export function dataFile(...path: string[]): string | undefined {
  const folder = process.env.NIGH_DATA;
  if (folder === undefined || folder === '') return undefined;
  const file = join(folder, ...path);
  return existsSync(file) ? file : undefined;
}

export type Triple = readonly [user: string, item: string, value: number];

/** Numbers strings as they come. */
class Ordinals {
  readonly #known = new Map<string, number>();
  of(term: string): number {
    const ordinal = this.#known.get(term) ?? this.#known.size;
    this.#known.set(term, ordinal);
    return ordinal;
  }
  get size(): number {
    return this.#known.size;
  }
}

export function readTriples(text: string, separator: string, header: boolean): Triple[] {
  return text
    .split('\n')
    .slice(header ? 1 : 0)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [user = '', item = '', value = '1'] = line.trim().split(separator);
      return [user, item, Number(value)];
    });
}

export function toMatrices(parts: readonly (readonly Triple[])[]): CsrMatrix[] {
  const users = new Ordinals();
  const items = new Ordinals();
  const coded = parts.map((part) => ({
    rows: part.map(([user]) => users.of(user)),
    columns: part.map(([, item]) => items.of(item)),
    values: part.map(([, , value]) => value),
  }));
  return coded.map((part) => CsrMatrix.fromTriplets({ rows: users.size, cols: items.size }, part, (_, next) => next));
}

/** The 2016 edition of ml-latest-small. */
export function latestSmall2016(): CsrMatrix | undefined {
  const file = dataFile('ml-latest-small-2016', 'ratings.csv');
  return file === undefined ? undefined : toMatrices([readTriples(readFileSync(file, 'utf8'), ',', true)])[0];
}

/** Ratings, and their times parallel to the entries. */
export function ml100k(): { readonly ratings: CsrMatrix; readonly timestamps: Float64Array } | undefined {
  const file = dataFile('ml-100k', 'u.data');
  if (file === undefined) return undefined;
  const text = readFileSync(file, 'utf8');
  const times = text
    .trim()
    .split('\n')
    .map((line) => Number(line.split('\t')[3]));
  const triples = readTriples(text, '\t', false);
  // Row numbers as values say where each entry went; float32 holds them exactly.
  const numbered = triples.map(([user, item], at) => [user, item, at] as const);
  const [ratings, lines] = toMatrices([triples, numbered]);
  return { ratings: ratings!, timestamps: Float64Array.from(lines!.values, (at) => times[at]!) };
}

/** u1–u5. */
export function ml100kFolds(): Split[] | undefined {
  const names = [1, 2, 3, 4, 5].flatMap((fold) => [`u${fold}.base`, `u${fold}.test`]);
  const files = names.map((name) => dataFile('ml-100k', name));
  if (files.some((file) => file === undefined)) return undefined;
  const parts = toMatrices(files.map((file) => readTriples(readFileSync(file!, 'utf8'), '\t', false)));
  return givenFolds(
    [0, 1, 2, 3, 4].map((fold) => ({ name: `u${fold + 1}`, train: parts[2 * fold]!, test: parts[2 * fold + 1]! })),
    'the five standard folds u1–u5',
  );
}

/** MovieLens 1M as implicit pairs: the union of the parts of ml-1m-cold. */
export async function ml1mUnion(): Promise<CsrMatrix | undefined> {
  const file = dataFile('ml-1m-cold', 'ml-1m.zip');
  if (file === undefined) return undefined;
  const texts = await readZip(readFileSync(file), ['train_df.csv', 'cold_vali_df.csv', 'cold_test_df.csv']);
  const pairs = texts.flatMap((text) => readTriples(text, ',', true)).map(([user, item]) => [user, item, 1] as const);
  return toMatrices([pairs])[0];
}
