import { resolve } from 'node:path';
import { isPlainObject, optional, text } from '../../core/params.js';
import { DatasetBuilder } from '../dataset-builder.js';
import { readTable } from './read-table.js';
import { atRecord, cleanTags, invalidRecord, parseNumber } from './record-values.js';
import { type DatasetSource, readSourceOptions } from './source.js';
import { ownFolder, withUnzipped } from './zipped-file.js';

/** `{ "source": "tmdb" }` */
export interface TmdbOptions {
  /** The folder with `tmdb_5000_movies.csv` or its `.zip`, relative to the recipe. Default: `tmdb-5000` in NIGH_DATA. */
  readonly path: string | undefined;
}

const file = 'tmdb_5000_movies.csv';
const wanted = ['id', 'title', 'overview', 'tagline', 'keywords', 'genres', 'original_language', 'release_date'];

/**
 * The TMDB 5000 movies: items only, by the ids of The Movie Database (`links.tmdbId` of MovieLens). Columns: `overview`, `tagline`,
 * `language` (text), `keywords`, `genres` (tags), `year` (number).
 */
export const tmdbSource: DatasetSource<TmdbOptions> = {
  name: 'tmdb',

  parse(options, path) {
    return readSourceOptions({ path: optional(text()) }, options, path);
  },

  async load({ path }, context) {
    const folder = path === undefined ? ownFolder('tmdb-5000', context) : resolve(context.baseDirectory, path);
    const columns = {
      overview: 'text',
      tagline: 'text',
      language: 'text',
      keywords: 'tags',
      genres: 'tags',
      year: 'number',
    } as const;
    const builder = new DatasetBuilder(
      {
        name: 'tmdb-5000',
        licence: 'TMDB terms: credit The Movie Database.',
        source: 'TMDB 5000 movie dataset, from The Movie Database. https://www.themoviedb.org',
      },
      { columns },
    );
    const format = { delimiter: ',', quotes: true, encoding: 'utf-8' } as const;
    await withUnzipped(folder, file, ['tmdb_5000_movies.zip'], context, (table) =>
      readTable(table, format, wanted, context, (cells, line) => {
        const [id, title, overview, tagline, keywords, genres, language, released] = cells as [string, ...string[]];
        const attributes = {
          overview: overview || undefined,
          tagline: tagline || undefined,
          language: language || undefined,
          keywords: namesOf(keywords!, table, line, 'keywords'),
          genres: namesOf(genres!, table, line, 'genres'),
          year: parseNumber(released!.slice(0, 4)),
        };
        atRecord(table, line, () => builder.addItem(id, title || id, attributes));
      }),
    );
    return builder.build();
  },
};

/** `[{"id": 28, "name": "Action"}]` → `["Action"]` */
function namesOf(json: string, path: string, line: number, column: string): string[] | undefined {
  const wrong = () => invalidRecord(path, line, column, 'a JSON list of objects with a name', json);
  let list: unknown;
  try {
    list = JSON.parse(json);
  } catch {
    throw wrong();
  }
  if (!Array.isArray(list)) throw wrong();
  return cleanTags(
    list.map((entry: unknown) => {
      if (!isPlainObject(entry) || typeof entry.name !== 'string') throw wrong();
      return entry.name;
    }),
  );
}
