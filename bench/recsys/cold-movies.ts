/** ml-1m-cold: implicit pairs whose validation and test items have none in training, and what is known of the films. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { Column, Dataset } from 'nigh/embeddings';
import { CsrMatrix, Vocabulary } from 'nigh/evaluation';
import { dataFile, readTriples } from './datasets.js';
import { readZip } from './zip.js';

export interface ColdMovies {
  /** Every film with its genres, year, people and plot; interactions are those of training. */
  readonly dataset: Dataset;
  /** users × items, as `dataset.interactions`: the pairs of the cold parts. */
  readonly validation: CsrMatrix;
  readonly test: CsrMatrix;
  /** How many films were found among the descriptions. */
  readonly described: number;
}

const columnTypes = {
  genres: 'tags',
  year: 'number',
  directors: 'tags',
  writers: 'tags',
  actors: 'tags',
  plot: 'text',
} as const;

type Film = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export async function coldMovies(): Promise<ColdMovies | undefined> {
  const archive = dataFile('ml-1m-cold', 'ml-1m.zip');
  const details = dataFile('ml-1m-cold', 'movies_extrainfos.dat');
  if (archive === undefined || details === undefined) return undefined;
  const names = ['train_df.csv', 'cold_vali_df.csv', 'cold_test_df.csv', 'item_df.csv'];
  const [train, validation, test, films] = await readZip(readFileSync(archive), names);
  const known = new Descriptions(readFileSync(details, 'utf8'));
  const catalogue = parse(films!, { columns: true }) as { iid: string; title: string; genres: string }[];
  const items = new Vocabulary(catalogue.map(({ iid }) => iid));
  const rows = catalogue.map(({ title, genres }): Film => {
    const [, name = title, year] = /^(.*) \((\d{4})\)$/.exec(title) ?? [];
    return {
      ...known.find(name, Number(year)),
      genres: genres.split('|'),
      ...(year === undefined ? {} : { year: Number(year) }),
    };
  });
  const columns = new Map(
    Object.entries(columnTypes).map(([name, type]) => [name, { type, values: rows.map((row) => row[name]) } as Column]),
  );
  const users = new Vocabulary([...new Set([train!, validation!, test!].flatMap((text) => usersOf(text)))]);
  const matrix = (text: string) => toMatrix(text, users, items);
  return {
    dataset: {
      origin: { name: 'ml-1m-cold', licence: '', source: '' },
      items,
      users,
      titles: catalogue.map(({ title }) => title.replace(/ \(\d{4}\)$/, '')),
      columns,
      interactions: matrix(train!),
    },
    validation: matrix(validation!),
    test: matrix(test!),
    described: rows.filter(({ plot }) => plot !== undefined).length,
  };
}

const usersOf = (text: string) => readTriples(text, ',', true).map(([user]) => user);

function toMatrix(text: string, users: Vocabulary, items: Vocabulary): CsrMatrix {
  const pairs = readTriples(text, ',', true);
  return CsrMatrix.fromTriplets(
    { rows: users.size, cols: items.size },
    {
      rows: pairs.map(([user]) => users.ordinal(user)!),
      columns: pairs.map(([, item]) => items.ordinal(item)!),
      values: pairs.map(() => 1),
    },
    () => 1,
  );
}

/** Films by title and year; the two sources differ in articles, accents and sometimes by a year. */
class Descriptions {
  readonly #films = new Map<string, Film>();

  constructor(text: string) {
    for (const line of text.split(/\r?\n/)) {
      const [, title, year, , , , directors, writers, actors, plot] = line.split('::');
      if (title === undefined || plot === undefined) continue;
      const film = {
        directors: people(directors),
        writers: people(writers),
        actors: people(actors),
        plot: missing(plot) ? undefined : plot,
      };
      const key = `${plainTitle(title)} ${year!.slice(0, 4)}`;
      if (!this.#films.has(key)) this.#films.set(key, film);
    }
  }

  find(title: string, year: number): Film | undefined {
    const name = plainTitle(title);
    return [0, -1, 1].map((off) => this.#films.get(`${name} ${year + off}`)).find((film) => film !== undefined);
  }
}

const missing = (text: string | undefined) => text === undefined || text === '' || text === 'N/A';

/** `John Lasseter (original story by), Pete Docter (…)`: the names, once each. */
function people(text: string | undefined): string[] | undefined {
  if (text === undefined || missing(text)) return undefined;
  return [...new Set(text.split(',').map((name) => name.replace(/\(.*?\)/g, '').trim()))].filter((name) => name !== '');
}

const article = /^(.*), (the|a|an|la|le|les|el|il|das|der|die|los|las|l')$/;

function plainTitle(title: string): string {
  const plain = title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/\([^)]*\)/g, '')
    .trim();
  const [, name, front] = article.exec(plain) ?? [];
  return (name === undefined ? plain : `${front} ${name}`).replace(/[^a-z0-9]+/g, ' ').trim();
}
