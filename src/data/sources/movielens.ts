import { basename, join, resolve } from 'node:path';
import { invalidArgument, NighError } from '../../core/errors.js';
import { joinPath, optional, text } from '../../core/params.js';
import type { DatasetOrigin } from '../dataset.js';
import { DatasetBuilder } from '../dataset-builder.js';
import { fetchDataset } from '../fetch/locate.js';
import { namedDataset } from '../fetch/named-datasets.js';
import type { FetchContext, LoadContext } from '../load-context.js';
import { detectLayout, type MovieLensLayout } from './movielens-layouts.js';
import { readTable } from './read-table.js';
import { atRecord, invalidRecord, requireNumber } from './record-values.js';
import { type DatasetSource, readSourceOptions } from './source.js';

/**
 * `{ "source": "movielens", "fetch": "movielens-latest-small" }` or `{ "source": "movielens", "path": "../ml-1m" }`: exactly one.
 */
export interface MovieLensOptions {
  /** A named dataset of `nigh fetch`: `movielens-latest-small` or `movielens-100k`. */
  readonly fetch: string | undefined;
  /** A folder with an unpacked release, relative to the recipe. Its layout (latest, 1M, 100K) is known by its files. */
  readonly path: string | undefined;
}

/** What `nigh fetch` offers of this kind. */
const editions = ['movielens-latest-small', 'movielens-100k'];

/**
 * MovieLens in all its layouts. Items are movies, titles as given (the id, where a release has none); a repeated rating counts by its newest. Columns: `genres` (tags),
 * `year` (number, from the title), and where the release has them `tags` (what users wrote, in lower case, most frequent first),
 * `imdbId` and `tmdbId` (text).
 */
export const movielensSource: DatasetSource<MovieLensOptions> = {
  name: 'movielens',

  parse(options, path) {
    const parsed = readSourceOptions({ fetch: optional(text()), path: optional(text()) }, options, path);
    if ((parsed.fetch === undefined) === (parsed.path === undefined)) {
      throw new NighError('INVALID_ARGUMENT', `${path}: expected either "fetch" or "path".`);
    }
    if (parsed.fetch !== undefined && !editions.includes(namedDataset(parsed.fetch).name)) {
      const expected = editions.map((name) => JSON.stringify(name)).join(' or ');
      throw invalidArgument(joinPath(path, 'fetch'), expected, parsed.fetch);
    }
    return parsed;
  },

  async load({ fetch, path }, context) {
    const { folder, origin } = await locate(fetch, path ?? '', context);
    const layout = await detectLayout(folder);
    const builder = new DatasetBuilder(origin, {
      merge: 'last',
      unknownItems: 'error',
      timestamps: true,
      columns: {
        genres: 'tags',
        year: 'number',
        ...(layout.tags === undefined ? {} : { tags: 'tags' }),
        ...(layout.links === undefined ? {} : { imdbId: 'text', tmdbId: 'text' }),
      },
    });
    const tags = await readTags(folder, layout, context);
    const links = await readLinks(folder, layout, context);
    await layout.readMovies(folder, context, ({ id, title, genres }, file, line) => {
      if (id === '') throw invalidRecord(file, line, 'movieId', 'an id', id);
      const attributes = {
        genres: genres.length === 0 ? undefined : genres,
        year: yearOf(title),
        tags: tags.get(id),
        ...links.get(id),
      };
      atRecord(file, line, () => builder.addItem(id, title.trim() || id, attributes));
    });
    await readRatings(folder, layout, context, builder);
    return builder.build();
  },
};

async function locate(
  fetch: string | undefined,
  path: string,
  context: LoadContext,
): Promise<{ folder: string; origin: DatasetOrigin }> {
  if (fetch === undefined) {
    const folder = resolve(context.baseDirectory, path);
    const licence = 'GroupLens terms: see the README of the release.';
    return { folder, origin: { name: basename(folder), licence, source: 'https://grouplens.org/datasets/movielens/' } };
  }
  const { dataset, path: folder } = await fetchDataset(fetch, context);
  return { folder, origin: { name: dataset.name, licence: dataset.licence, source: dataset.source } };
}

async function readRatings(
  folder: string,
  { ratings }: MovieLensLayout,
  context: FetchContext,
  builder: DatasetBuilder,
): Promise<void> {
  const path = join(folder, ratings.file);
  const columns = ['userId', 'movieId', 'rating', 'timestamp'];
  await readTable(path, ratings.format, columns, context, ([user, movie, rating, timestamp], line) => {
    if (user === '') throw invalidRecord(path, line, 'userId', 'an id', user);
    if (movie === '') throw invalidRecord(path, line, 'movieId', 'an id', movie);
    const value = requireNumber(path, line, 'rating', rating!);
    const time = requireNumber(path, line, 'timestamp', timestamp!);
    atRecord(path, line, () => builder.addInteraction(user!, movie!, value, time));
  });
}

/** By movie: what users wrote, in lower case, the most frequent first and among equals the oldest in the file. */
async function readTags(
  folder: string,
  { tags }: MovieLensLayout,
  context: FetchContext,
): Promise<Map<string, string[]>> {
  const counts = new Map<string, Map<string, number>>();
  if (tags !== undefined) {
    await readTable(join(folder, tags.file), tags.format, ['movieId', 'tag'], context, ([movie, written]) => {
      const tag = written!.trim().toLowerCase();
      if (tag === '') return;
      const ofMovie = counts.get(movie!) ?? new Map<string, number>();
      counts.set(movie!, ofMovie.set(tag, (ofMovie.get(tag) ?? 0) + 1));
    });
  }
  const sorted = new Map<string, string[]>();
  for (const [movie, ofMovie] of counts) {
    const byFrequency = [...ofMovie].sort(([, a], [, b]) => b - a);
    sorted.set(
      movie,
      byFrequency.map(([tag]) => tag),
    );
  }
  return sorted;
}

async function readLinks(
  folder: string,
  { links }: MovieLensLayout,
  context: FetchContext,
): Promise<Map<string, { imdbId?: string; tmdbId?: string }>> {
  const byMovie = new Map<string, { imdbId?: string; tmdbId?: string }>();
  if (links !== undefined) {
    const columns = ['movieId', 'imdbId', 'tmdbId'];
    await readTable(join(folder, links.file), links.format, columns, context, ([movie, imdbId, tmdbId]) => {
      byMovie.set(movie!, { ...(imdbId ? { imdbId } : {}), ...(tmdbId ? { tmdbId } : {}) });
    });
  }
  return byMovie;
}

/** The last year in parentheses: `Toy Story (1995)`, `Land Before Time III (1995) (V)`, and of `(2006–2007)` the first. */
function yearOf(title: string): number | undefined {
  const years = [...title.matchAll(/\((\d{4})(?:[-–]\d{0,4})?\)/g)];
  const last = years.at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}
