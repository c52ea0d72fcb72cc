import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';
import type { FetchContext } from '../load-context.js';
import { readTable, type TableFormat } from './read-table.js';
import { invalidRecord } from './record-values.js';

export interface Movie {
  readonly id: string;
  readonly title: string;
  readonly genres: readonly string[];
}

/** One file and how it is written. */
export interface MovieLensTable {
  readonly file: string;
  readonly format: TableFormat;
}

/** How one generation of MovieLens releases is laid out. Whatever the files say, the columns are called as in the latest. */
export interface MovieLensLayout {
  readonly name: string;
  /** movieId, title, and what `readMovies` needs for the genres. */
  readonly movies: MovieLensTable;
  /** userId, movieId, rating, timestamp. */
  readonly ratings: MovieLensTable;
  /** movieId, tag. Undefined where the release has no tags. */
  readonly tags?: MovieLensTable;
  /** movieId, imdbId, tmdbId. Undefined where the release has no links. */
  readonly links?: MovieLensTable;
  readMovies(
    folder: string,
    context: FetchContext,
    visit: (movie: Movie, path: string, line: number) => void,
  ): Promise<void>;
}

const ratingColumns = ['userId', 'movieId', 'rating', 'timestamp'];
const movieColumns = ['movieId', 'title', 'genres'];
const tagColumns = ['userId', 'movieId', 'tag', 'timestamp'];

/**
 * The layout of a folder, known by its files.
 * @throws NighError NOT_FOUND for the folder, FORMAT when its files are of no known layout
 */
export async function detectLayout(folder: string): Promise<MovieLensLayout> {
  const files = new Set(
    await readdir(folder).catch((error: unknown) => {
      throw fileError(folder, error);
    }),
  );
  const has = ({ movies, ratings }: { movies: MovieLensTable; ratings: MovieLensTable }) =>
    files.has(movies.file) && files.has(ratings.file);
  const layouts = [latest(files), doubleColon(files), hundredThousand];
  const layout = layouts.find(has);
  if (layout !== undefined) return layout;
  const known = layouts
    .map(({ name, movies, ratings }) => `${movies.file} and ${ratings.file} (${name})`)
    .join(', or ');
  const present = [...files].sort().slice(0, 12).join(', ') || 'nothing';
  throw new NighError('FORMAT', `${folder}: expected a MovieLens folder with ${known}; it has ${present}.`);
}

/** latest, latest-small, 20M, 25M, 32M: CSV with headers. Tags and links are read where they are there. */
function latest(files: ReadonlySet<string>): MovieLensLayout {
  const table = (file: string): MovieLensTable => ({
    file,
    format: { delimiter: ',', quotes: true, encoding: 'utf-8' },
  });
  const movies = table('movies.csv');
  return {
    name: 'latest',
    movies,
    ratings: table('ratings.csv'),
    ...(files.has('tags.csv') ? { tags: table('tags.csv') } : {}),
    ...(files.has('links.csv') ? { links: table('links.csv') } : {}),
    readMovies: (folder, context, visit) => readPipedGenres(folder, movies, context, visit),
  };
}

/** 1M and 10M: fields between `::` and no header. 1M is in latin1 and has no tags; 10M is in UTF-8 and has tags. */
function doubleColon(files: ReadonlySet<string>): MovieLensLayout {
  const tagged = files.has('tags.dat');
  const table = (file: string, header: readonly string[]): MovieLensTable => ({
    file,
    format: { delimiter: '::', quotes: false, encoding: tagged ? 'utf-8' : 'latin1', header },
  });
  const movies = table('movies.dat', movieColumns);
  return {
    name: '1M',
    movies,
    ratings: table('ratings.dat', ratingColumns),
    ...(tagged ? { tags: table('tags.dat', tagColumns) } : {}),
    readMovies: (folder, context, visit) => readPipedGenres(folder, movies, context, visit),
  };
}

/** 100K: `u.item` has one flag for every genre that `u.genre` lists, in latin1; `u.data` is separated by tabs. */
const hundredThousand: MovieLensLayout = {
  name: '100K',
  movies: { file: 'u.item', format: { delimiter: '|', quotes: false, encoding: 'latin1' } },
  ratings: {
    file: 'u.data',
    format: { delimiter: '\t', quotes: false, encoding: 'latin1', header: ratingColumns },
  },
  async readMovies(folder, context, visit) {
    const genres = await readGenreNames(folder, context);
    const header = [
      'movieId',
      'title',
      'released',
      'releasedOnVideo',
      'address',
      ...genres.map((name) => `genre ${name}`),
    ];
    const wanted = ['movieId', 'title', ...header.slice(5)];
    const path = join(folder, this.movies.file);
    await readTable(path, { ...this.movies.format, header }, wanted, context, ([id, title, ...flags], line) => {
      const wrong = flags.find((flag) => flag !== '0' && flag !== '1');
      if (wrong !== undefined) throw invalidRecord(path, line, 'genre flag', '0 or 1', wrong);
      // The genre "unknown" says that there is none.
      const named = genres.filter((name, at) => flags[at] === '1' && name !== 'unknown');
      visit({ id: id!, title: title!, genres: named }, path, line);
    });
  },
};

/** The names in the order of the flags. */
async function readGenreNames(folder: string, context: FetchContext): Promise<string[]> {
  const path = join(folder, 'u.genre');
  const format: TableFormat = { delimiter: '|', quotes: false, encoding: 'latin1', header: ['name', 'position'] };
  const names: string[] = [];
  await readTable(path, format, format.header!, context, ([name, position], line) => {
    if (position !== String(names.length)) throw invalidRecord(path, line, 'position', String(names.length), position);
    names.push(name!);
  });
  return names;
}

async function readPipedGenres(
  folder: string,
  { file, format }: MovieLensTable,
  context: FetchContext,
  visit: (movie: Movie, path: string, line: number) => void,
): Promise<void> {
  const path = join(folder, file);
  await readTable(path, format, movieColumns, context, ([id, title, genres], line) => {
    const none = genres === '' || genres === '(no genres listed)';
    visit({ id: id!, title: title!, genres: none ? [] : genres!.split('|') }, path, line);
  });
}
