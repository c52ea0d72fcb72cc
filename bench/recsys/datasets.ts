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
  has(term: string): boolean {
    return this.#known.has(term);
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

export interface Films {
  readonly ratings: CsrMatrix;
  /** By item. */
  readonly genres: readonly ReadonlySet<string>[];
  /** By item; NaN where the title has none. */
  readonly years: Float64Array;
}

/** ml-latest-small: the edition of 2016 or that of 2018, with genres and the year at the end of the title. */
export function latestSmall(edition: 'ml-latest-small-2016' | 'ml-latest-small'): Films | undefined {
  const [file, films] = [dataFile(edition, 'ratings.csv'), dataFile(edition, 'movies.csv')];
  if (file === undefined || films === undefined) return undefined;
  const triples = readTriples(readFileSync(file, 'utf8'), ',', true);
  const items = new Ordinals();
  for (const [, item] of triples) items.of(item);
  const genres: ReadonlySet<string>[] = Array.from({ length: items.size }, () => new Set());
  const years = new Float64Array(items.size).fill(Number.NaN);
  for (const line of readFileSync(films, 'utf8').split('\n').slice(1)) {
    // A title may have commas, in quotes; the first and the last field have none.
    const parts = /^(\d+),(.*),([^,]*)$/.exec(line.trim());
    if (parts === null || !items.has(parts[1]!)) continue;
    const item = items.of(parts[1]!);
    genres[item] = new Set(parts[3] === '(no genres listed)' ? [] : parts[3]!.split('|'));
    years[item] = Number(/\((\d{4})\)\s*"?$/.exec(parts[2]!)?.[1] ?? Number.NaN);
  }
  return { ratings: toMatrices([triples])[0]!, genres, years };
}

/** Ratings, and their times parallel to the entries. */
export function ml100k(): TimedRatings | undefined {
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

interface TimedRatings {
  readonly ratings: CsrMatrix;
  readonly timestamps: Float64Array;
}

/** Without the items, then the ratings of the users, of fewer ratings. Items are numbered anew, in their order; users are not. */
export function ofAtLeast(
  { ratings, timestamps }: TimedRatings,
  { perItem, perUser }: { readonly perItem: number; readonly perUser: number },
): TimedRatings {
  const perColumn = ratings.columnCounts();
  const entries = (keep: (row: number, entry: number) => boolean) => {
    const kept: { rows: number[]; columns: number[]; at: number[] } = { rows: [], columns: [], at: [] };
    for (let row = 0; row < ratings.rows; row++) {
      for (let e = ratings.offsets[row]!; e < ratings.offsets[row + 1]!; e++) {
        if (!keep(row, e)) continue;
        kept.rows.push(row);
        kept.columns.push(ratings.columns[e]!);
        kept.at.push(e);
      }
    }
    return kept;
  };
  const known = (e: number) => perColumn[ratings.columns[e]!]! >= perItem;
  const sizes = new Uint32Array(ratings.rows);
  for (const row of entries((_, e) => known(e)).rows) sizes[row] = sizes[row]! + 1;
  const { rows, columns, at } = entries((row, e) => known(e) && sizes[row]! >= perUser);
  const kept = [...new Set(columns)].sort((a, b) => a - b);
  const renumbered = new Map(kept.map((item, place) => [item, place]));
  const triplets = {
    rows,
    columns: columns.map((item) => renumbered.get(item)!),
    values: at.map((e) => ratings.values[e]!),
  };
  return {
    ratings: CsrMatrix.fromTriplets({ rows: ratings.rows, cols: kept.length }, triplets),
    timestamps: Float64Array.from(at, (e) => timestamps[e]!),
  };
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

/** goodbooks-10k: ratings; of a pair given twice the later. */
export async function goodbooks(): Promise<CsrMatrix | undefined> {
  const file = dataFile('goodbooks-10k-v1', 'ratings.csv.zip');
  if (file === undefined) return undefined;
  const [text] = await readZip(readFileSync(file), ['ratings.csv']);
  // book_id,user_id,rating
  const triples = readTriples(text!, ',', true).map(([book, user, rating]) => [user, book, rating] as const);
  return toMatrices([triples])[0];
}
