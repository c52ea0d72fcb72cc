import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDataset, parseDatasetSpec } from '../../../src/data/sources/registry.js';
import { attributesOf, interactionsOf } from '../support/dataset-view.js';
import { nighError } from '../support/expect-error.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const latest = {
  'movies.csv': [
    'movieId,title,genres',
    '1,Toy Story (1995),Adventure|Animation',
    '11,"American President, The (1995)",Comedy',
    '7,Babylon 5,(no genres listed)',
    '9,"""Great Performances"" Cats (1998) ",Musical',
    '10,,Drama',
    '',
  ].join('\r\n'),
  'ratings.csv':
    'userId,movieId,rating,timestamp\n1,1,4.0,100\n1,11,0.5,90\n2,1,3.5,50\n1,1,2.0,99\n2,9,5.0,60\n1,11,1.0,90\n',
  'tags.csv':
    'userId,movieId,tag,timestamp\n1,1,Pixar,1\n1,1,fun,2\n2,1, FUN ,3\n2,11,"one, two",4\n2,11,,4\n3,404,gone,5\n',
  'links.csv': 'movieId,imdbId,tmdbId\n1,0114709,862\n7,0105946,\n',
};

const oneMillion = {
  'movies.dat': Buffer.from(
    '1::Toy Story (1995)::Animation|Comedy\n73::Misérables, Les (1995)::Drama|Musical\n',
    'latin1',
  ),
  'ratings.dat': '1::73::5::978300760\n6040::1::4::956704746\n',
  'users.dat': '1::F::1::10::48067\n6040::M::25::6::11106\n',
};

function flags(...set: number[]): string {
  return Array.from({ length: 19 }, (_, at) => (set.includes(at) ? '1' : '0')).join('|');
}

const hundredThousand = {
  'u.genre': 'unknown|0\nAction|1\nAdventure|2\nAnimation|3\n'.concat(
    ...Array.from({ length: 15 }, (_, at) => `Genre ${at + 4}|${at + 4}\n`),
    '\n',
  ),
  'u.item': Buffer.from(
    [
      `1|Toy Story (1995)|01-Jan-1995||http://x|${flags(3, 5)}`,
      `267|unknown||||${flags(0)}`,
      `1412|Land Before Time III, The (1995) (V)|01-Jan-1995||http://y|${flags(3)}`,
      `1633|Á köldum klaka (Cold Fever) (1994)|08-Mar-1996||http://z|${flags(8)}`,
      '',
    ].join('\n'),
    'latin1',
  ),
  'u.data': '196\t1\t3\t881250949\n186\t1633\t3\t891717742\n',
};

async function load(files: Record<string, string | Uint8Array>) {
  const baseDirectory = await temporaryDirectory(
    Object.fromEntries(Object.entries(files).map(([name, content]) => [`ml/${name}`, content])),
  );
  return loadDataset({ source: 'movielens', path: 'ml' }, { baseDirectory });
}

describe('the MovieLens source', () => {
  it('reads the latest layout: titles, genres, years, tags, links, and the newest of repeated ratings', async () => {
    const dataset = await load(latest);
    expect(dataset.items.terms).toEqual(['1', '11', '7', '9', '10']);
    expect(dataset.titles).toEqual([
      'Toy Story (1995)',
      'American President, The (1995)',
      'Babylon 5',
      '"Great Performances" Cats (1998)',
      '10',
    ]);
    expect(attributesOf(dataset, '1')).toEqual({
      genres: ['Adventure', 'Animation'],
      year: 1995,
      tags: ['fun', 'pixar'],
      imdbId: '0114709',
      tmdbId: '862',
    });
    expect(attributesOf(dataset, '11')).toEqual({ genres: ['Comedy'], year: 1995, tags: ['one, two'] });
    expect(attributesOf(dataset, '7')).toEqual({ imdbId: '0105946' });
    expect(attributesOf(dataset, '9')).toEqual({ genres: ['Musical'], year: 1998 });
    expect(interactionsOf(dataset)).toEqual(
      new Map([
        ['1 1', [4, 100]],
        ['1 11', [1, 90]],
        ['2 1', [3.5, 50]],
        ['2 9', [5, 60]],
      ]),
    );
  });

  it('reads the latest layout without tags and links', async () => {
    const { 'tags.csv': _tags, 'links.csv': _links, ...files } = latest;
    expect([...(await load(files)).columns.keys()]).toEqual(['genres', 'year']);
  });

  it('reads the 1M layout in latin1', async () => {
    const dataset = await load(oneMillion);
    expect(dataset.titles).toEqual(['Toy Story (1995)', 'Misérables, Les (1995)']);
    expect(attributesOf(dataset, '73')).toEqual({ genres: ['Drama', 'Musical'], year: 1995 });
    expect(interactionsOf(dataset)).toEqual(
      new Map([
        ['1 73', [5, 978300760]],
        ['6040 1', [4, 956704746]],
      ]),
    );
  });

  it('reads the 10M layout: the same with tags, in UTF-8', async () => {
    const dataset = await load({
      'movies.dat': '73::Misérables, Les (1995)::Drama\n',
      'ratings.dat': '1::73::4.5::978300760\n',
      'tags.dat': '15::73::Épique!::1215184630\n',
    });
    expect(dataset.titles).toEqual(['Misérables, Les (1995)']);
    expect(attributesOf(dataset, '73')).toEqual({ genres: ['Drama'], year: 1995, tags: ['épique!'] });
  });

  it('reads the 100K layout: flags as genres, "unknown" as none, latin1', async () => {
    const dataset = await load(hundredThousand);
    expect(dataset.titles[3]).toBe('Á köldum klaka (Cold Fever) (1994)');
    expect(attributesOf(dataset, '1')).toEqual({ genres: ['Animation', 'Genre 5'], year: 1995 });
    expect(attributesOf(dataset, '267')).toEqual({});
    expect(attributesOf(dataset, '1412')).toEqual({ genres: ['Animation'], year: 1995 });
    expect(interactionsOf(dataset)).toEqual(
      new Map([
        ['196 1', [3, 881250949]],
        ['186 1633', [3, 891717742]],
      ]),
    );
  });

  it.each([
    ['(2006–2007)', 2006],
    ['(2015-)', 2015],
    ['2001: A Space Odyssey (1968)', 1968],
    ['Babylon 5', undefined],
    ['(500) Days of Summer', undefined],
  ])('takes from the title %s the year %s', async (title, year) => {
    const dataset = await load({ ...latest, 'movies.csv': `movieId,title,genres\n1,${title},\n11,b,\n9,c,\n` });
    expect(attributesOf(dataset, '1').year).toBe(year);
  });

  it.each([
    [
      'a rating that is not a number',
      'userId,movieId,rating,timestamp\n1,1,4,5\n1,1,good,5\n',
      'INVALID_RECORD',
      [':3', 'rating', '"good"'],
    ],
    ['an empty timestamp', 'userId,movieId,rating,timestamp\n1,1,4,\n', 'INVALID_RECORD', [':2', 'timestamp', '""']],
    [
      'a record that is too short',
      'userId,movieId,rating,timestamp\n1,1,4\n',
      'INVALID_RECORD',
      [':2', '4 fields, got 3'],
    ],
    ['a user without an id', 'userId,movieId,rating,timestamp\n,1,4,5\n', 'INVALID_RECORD', [':2', 'userId']],
    ['a movie that the catalogue lacks', 'userId,movieId,rating,timestamp\n1,99,4,5\n', 'INVALID_RECORD', ['"99"']],
    [
      'a missing column',
      'userId,movieId,ratings,timestamp\n1,1,4,5\n',
      'MISSING_COLUMN',
      ['"rating"', 'mean "ratings"', '"userId"'],
    ],
    ['a file without a line', '', 'EMPTY_DATASET', ['ratings.csv']],
  ] as const)('refuses %s', async (_, ratings, code, texts) => {
    const loading = load({ ...latest, 'ratings.csv': ratings });
    await expect(loading).rejects.toEqual(nighError(code, ...texts));
  });

  it('refuses a movie that occurs twice, with file and line', async () => {
    const loading = load({ ...latest, 'movies.csv': `${latest['movies.csv']}1,Again,\r\n` });
    await expect(loading).rejects.toEqual(nighError('DUPLICATE_ID', 'movies.csv:7', '"1"'));
  });

  it('refuses a genre flag that is neither 0 nor 1, and a u.genre out of order', async () => {
    const item = `1|Toy Story (1995)|01-Jan-1995||http://x|${flags(3).replace('1', 'x')}\n`;
    await expect(load({ ...hundredThousand, 'u.item': item })).rejects.toEqual(
      nighError('INVALID_RECORD', 'u.item:1', '"x"'),
    );
    const genres = hundredThousand['u.genre'].replace('Action|1', 'Action|2');
    await expect(load({ ...hundredThousand, 'u.genre': genres })).rejects.toEqual(
      nighError('INVALID_RECORD', 'u.genre:2'),
    );
  });

  it('says of a folder of something else what it expected and what is there', async () => {
    await expect(load({ 'books.csv': '' })).rejects.toEqual(nighError('FORMAT', 'movies.dat', 'u.item', 'books.csv'));
    const baseDirectory = await temporaryDirectory();
    const missing = loadDataset({ source: 'movielens', path: 'nowhere' }, { baseDirectory });
    await expect(missing).rejects.toEqual(nighError('NOT_FOUND', 'nowhere'));
  });

  it.each([
    [{}, 'INVALID_ARGUMENT', 'either'],
    [{ path: 'x', fetch: 'movielens-100k' }, 'INVALID_ARGUMENT', 'either'],
    [{ fetch: 'movielens-latest-smal' }, 'UNKNOWN_DATASET', '"movielens-latest-small"'],
    [{ fetch: 'openmoji' }, 'INVALID_ARGUMENT', 'movielens-100k'],
    [{ fecth: 'movielens-100k' }, 'UNKNOWN_OPTION', '"fetch"'],
    [{ path: 7 }, 'INVALID_ARGUMENT', 'dataset.path'],
  ] as const)('refuses the options %j before it touches a file', (options, code, text) => {
    expect(() => parseDatasetSpec({ source: 'movielens', ...options })).toThrow(nighError(code, text));
  });

  const data = process.env.NIGH_DATA;

  it.skipIf(data === undefined)('reads the real latest-small whole (needs NIGH_DATA)', async () => {
    const dataset = await loadDataset({ source: 'movielens', fetch: 'movielens-latest-small' }, { baseDirectory: '/' });
    expect([dataset.interactions.entries, dataset.users.size, dataset.items.size]).toEqual([100_836, 610, 9742]);
    expect(dataset.timestamps).toHaveLength(100_836);
    expect(attributesOf(dataset, '1')).toMatchObject({ year: 1995, tags: ['pixar', 'fun'], tmdbId: '862' });
    // Counted by hand from the files: movies with a tag, titles without a year, movies without genres.
    const lacking = (name: string) => dataset.columns.get(name)!.values.filter((value) => value === undefined).length;
    expect(9742 - lacking('tags')).toBe(1572);
    expect(lacking('year')).toBe(12);
    expect(lacking('genres')).toBe(34);
  });

  it.skipIf(data === undefined)('reads the real 100K whole (needs NIGH_DATA)', async () => {
    const dataset = await loadDataset({ source: 'movielens', fetch: 'movielens-100k' }, { baseDirectory: '/' });
    expect([dataset.interactions.entries, dataset.users.size, dataset.items.size]).toEqual([100_000, 943, 1682]);
    expect(attributesOf(dataset, '1')).toEqual({ genres: ['Animation', "Children's", 'Comedy'], year: 1995 });
    const mean = dataset.interactions.values.reduce((sum, value) => sum + value, 0) / 100_000;
    expect(mean).toBeCloseTo(3.52986, 5);
  });

  it.skipIf(data === undefined)(
    'reads the real 2016 edition of latest-small by its path (needs NIGH_DATA)',
    async () => {
      const spec = { source: 'movielens', path: join(data ?? '', 'ml-latest-small-2016') };
      const dataset = await loadDataset(spec, { baseDirectory: '/' });
      expect([dataset.interactions.entries, dataset.users.size]).toEqual([100_004, 671]);
      expect(dataset.interactions.columnCounts().filter((count) => count > 0)).toHaveLength(9066);
    },
  );
});
