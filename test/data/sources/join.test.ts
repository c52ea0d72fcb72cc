import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDataset, parseDatasetSpec } from '../../../src/data/sources/registry.js';
import { attributesOf, interactionsOf } from '../support/dataset-view.js';
import { nighError } from '../support/expect-error.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { zipFile } from '../support/zip-file.js';

const films = {
  source: 'csv',
  items: { path: 'films.csv', id: 'id', title: 'name', columns: { tmdb: { type: 'text' }, year: { type: 'number' } } },
};
const plots = {
  source: 'csv',
  items: {
    path: 'plots.csv',
    id: 'key',
    columns: { plot: { type: 'text' }, cast: { type: 'tags' }, year: { type: 'number' } },
  },
};
const files = {
  'films.csv': 'id,name,tmdb,year\n1,Heat,949,1995\n2,Ronin,,1998\n3,Spy,404,2015\n',
  'plots.csv': 'key,plot,cast,year\n949,A thief,Al Pacino|Robert De Niro,1\n8195,A case,,2\n2,By id,,3\n',
};

const load = async (dataset: object, more: Record<string, string | Uint8Array> = {}) =>
  loadDataset(dataset, { baseDirectory: await temporaryDirectory({ ...files, ...more }), environment: {} });

describe('join', () => {
  it('adds columns of another dataset by a column of keys, or by the ids', async () => {
    const columns = ['plot', 'cast'];
    const joined = await load({ ...films, join: { dataset: plots, on: 'tmdb', columns } });
    expect(attributesOf(joined, '1')).toEqual({
      tmdb: '949',
      year: 1995,
      plot: 'A thief',
      cast: ['Al Pacino', 'Robert De Niro'],
    });
    expect(attributesOf(joined, '2')).toEqual({ year: 1998 });
    expect(attributesOf(joined, '3')).toEqual({ tmdb: '404', year: 2015 });
    expect(joined.origin.name).toBe('films.csv + plots.csv');
    const byId = await load({ ...films, join: [{ dataset: plots, columns: ['plot'] }] });
    expect(attributesOf(byId, '2')).toEqual({ year: 1998, plot: 'By id' });
  });

  it('goes on without an optional dataset that is not there, and says so', async () => {
    const gone = { dataset: { source: 'csv', items: { path: 'gone.csv', id: 'id' } } };
    const dataset = await load({ ...films, join: { ...gone, optional: true } });
    expect([...dataset.columns.keys()]).toEqual(['tmdb', 'year']);
    expect(dataset.origin.source).toContain('without csv, which was not there');
    await expect(load({ ...films, join: gone })).rejects.toThrow(nighError('NOT_FOUND', 'gone.csv'));
    await expect(load({ ...films, join: { dataset: { source: 'tmdb' } } })).rejects.toThrow(
      nighError('NOT_FOUND', 'NIGH_DATA'),
    );
    // One that is there but broken is an error all the same.
    const broken = { ...gone, optional: true };
    await expect(load({ ...films, join: broken }, { 'gone.csv': 'name\nx\n' })).rejects.toThrow(
      nighError('MISSING_COLUMN', 'id'),
    );
  });

  it('refuses keys, columns and options that are not there, and columns that both have', async () => {
    await expect(load({ ...films, join: { dataset: plots, on: 'tmbd' } })).rejects.toThrow(
      nighError('MISSING_COLUMN', '"tmdb"'),
    );
    await expect(load({ ...films, join: { dataset: plots, on: 'year' } })).rejects.toThrow(
      nighError('INVALID_ARGUMENT', 'join.on'),
    );
    await expect(load({ ...films, join: { dataset: plots, columns: ['plots'] } })).rejects.toThrow(
      nighError('MISSING_COLUMN', '"plot"'),
    );
    await expect(load({ ...films, join: { dataset: plots } })).rejects.toThrow(nighError('INVALID_ARGUMENT', '"year"'));
    expect(() => parseDatasetSpec({ ...films, join: { dataset: plots, onn: 'tmdb' } })).toThrow(
      nighError('UNKNOWN_OPTION', 'dataset.join.onn'),
    );
    expect(() => parseDatasetSpec({ ...films, join: [{ dataset: { source: 'cvs' } }] })).toThrow(
      nighError('INVALID_ARGUMENT', 'dataset.join[0].dataset.source'),
    );
  });
});

describe('tmdb and goodbooks', () => {
  const header = 'id,title,overview,tagline,keywords,genres,original_language,release_date';
  const list = (...names: string[]) =>
    `"${JSON.stringify(names.map((name, id) => ({ id, name }))).replaceAll('"', '""')}"`;

  it('reads films with lists in JSON, from the table or its archive', async () => {
    const csv = `${header}\n949,Heat,"A thief, a detective",,${list('heist', 'bank')},${list()},en,1995-12-15\n7,No date,,x,[],[],,\n`;
    const archive = zipFile([{ name: 'tmdb_5000_movies.csv', content: csv, deflate: true }]);
    for (const more of [{ 't/tmdb_5000_movies.csv': csv }, { 't/tmdb_5000_movies.zip': archive }]) {
      const dataset = await load({ source: 'tmdb', path: 't' }, more);
      expect(dataset.titles).toEqual(['Heat', 'No date']);
      expect(attributesOf(dataset, '949')).toEqual({
        overview: 'A thief, a detective',
        keywords: ['heist', 'bank'],
        language: 'en',
        year: 1995,
      });
      expect(attributesOf(dataset, '7')).toEqual({ tagline: 'x' });
    }
    const broken = `${header}\n949,Heat,,,{},[],en,1995\n`;
    await expect(load({ source: 'tmdb', path: 't' }, { 't/tmdb_5000_movies.csv': broken })).rejects.toThrow(
      nighError('INVALID_RECORD', 'tmdb_5000_movies.csv:2: keywords'),
    );
  });

  it('reads books by the ids that the ratings use', async () => {
    const dataset = await load(
      { source: 'goodbooks', path: 'g' },
      {
        'g/books.csv':
          'id,book_id,title,authors,language_code,original_publication_year\n1,77,Dune,"Frank Herbert, Other One",eng,1965.0\n2,1,Emma,Jane Austen,,\n',
        'g/ratings.csv': 'book_id,user_id,rating\n1,9,5\n1,9,3\n2,9,4\n',
      },
    );
    expect(attributesOf(dataset, '1')).toEqual({
      authors: ['Frank Herbert', 'Other One'],
      language: 'eng',
      year: 1965,
    });
    expect(interactionsOf(dataset)).toEqual(
      new Map([
        ['9 1', [3]],
        ['9 2', [4]],
      ]),
    );
  });

  const data = process.env.NIGH_DATA;
  it.skipIf(data === undefined)(
    'hold what their publishers say, and join MovieLens (needs NIGH_DATA)',
    async () => {
      const context = { baseDirectory: '.' };
      const dataset = await loadDataset(
        {
          source: 'movielens',
          fetch: 'movielens-latest-small',
          join: [
            { dataset: { source: 'tmdb' }, on: 'tmdbId', columns: ['overview', 'keywords', 'tagline'] },
            {
              dataset: {
                source: 'csv',
                delimiter: '::',
                quotes: false,
                items: {
                  path: join(data!, 'ml-1m-cold/movies_extrainfos.dat'),
                  id: 'id',
                  header: [
                    'id',
                    'title',
                    'year',
                    'rated',
                    'released',
                    'genres',
                    'director',
                    'writers',
                    'actors',
                    'plot',
                    'poster',
                  ],
                  columns: { plot: { type: 'text' }, actors: { type: 'tags', separator: ', ' } },
                },
              },
            },
          ],
        },
        context,
      );
      expect(dataset.items.size).toBe(9_742);
      const joined = dataset.columns.get('keywords')!.values.length;
      expect(joined).toBe(9_742);
      expect(dataset.columns.get('overview')!.values.filter((value) => value !== undefined).length).toBeGreaterThan(
        3_500,
      );
      expect(attributesOf(dataset, '1').plot).toContain('Andy');
      const books = await loadDataset({ source: 'goodbooks' }, context);
      expect(books.items.size).toBe(10_000);
      expect(books.users.size).toBe(53_424);
      // 981,756 ratings, of which 2,278 repeat a pair.
      expect(books.interactions.entries).toBe(981_756 - 2_278);
    },
    60_000,
  );
});
