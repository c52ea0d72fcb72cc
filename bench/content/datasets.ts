/** The real data of the benchmarks of content, from NIGH_DATA and the packages that `nigh fetch` knows. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadDataset } from 'nigh';
import type { Dataset } from 'nigh/embeddings';
import { dataFile } from '../recsys/datasets.js';

/** The repository, from build/bench/content/. */
export const repository = join(dirname(fileURLToPath(import.meta.url)), '../../..');

export const here = { baseDirectory: repository };

export function movieLens(): Promise<Dataset> {
  return loadDataset({ source: 'movielens', fetch: 'movielens-latest-small' }, here);
}

export function openmoji(): Promise<Dataset> {
  return loadDataset({ source: 'openmoji' }, here);
}

/** Texts, and what they are of. */
export interface Corpus {
  readonly about: string;
  readonly texts: readonly string[];
}

/** Overviews of TMDB and plots of MovieLens 1M; undefined without NIGH_DATA. */
export async function plots(count: number): Promise<Corpus | undefined> {
  const extra = dataFile('ml-1m-cold', 'movies_extrainfos.dat');
  if (extra === undefined || dataFile('tmdb-5000') === undefined) return undefined;
  const overviews = (await loadDataset({ source: 'tmdb' }, here)).columns.get('overview');
  const told = (overviews?.values ?? []) as readonly (string | undefined)[];
  const lines = (await readFile(extra, 'utf8')).split(/\r?\n/);
  const real = [...told, ...lines.map((line) => line.split('::')[9])].filter(isText);
  return upTo(count, real, 'TMDB overviews and MovieLens 1M plots');
}

/** Titles of books, films and artists, then names of npm packages; undefined without NIGH_DATA. */
export async function manyTitles(count: number): Promise<Corpus | undefined> {
  const artists = dataFile('lastfm-2k', 'artists.dat');
  if (artists === undefined || dataFile('goodbooks-10k-v1') === undefined) return undefined;
  const books = await loadDataset({ source: 'goodbooks' }, here);
  const packages = await loadDataset({ source: 'npm-dependents' }, here);
  const names = (await readFile(artists, 'utf8')).split(/\r?\n/).map((line) => line.split('\t')[1]);
  const real = [...books.titles, ...(await movieLens()).titles, ...names.slice(1), ...packages.titles].filter(isText);
  return upTo(count, real, 'titles of goodbooks, MovieLens and Last.fm artists, then names of npm packages');
}

function isText(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== '' && text !== 'N/A';
}

/** The first of them; where there are too few, again from the first, and that is said. */
function upTo(count: number, real: readonly string[], source: string): Corpus {
  const texts = Array.from({ length: count }, (_, i) => real[i % real.length]!);
  const amount = count.toLocaleString('en');
  const repeated = count - real.length;
  const again = repeated > 0 ? `, the first ${repeated.toLocaleString('en')} of them twice` : '';
  return { about: `${amount} ${source}${again}`, texts };
}

/** Runs with a new directory, and removes it. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'nigh-bench-content-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A dataset of texts as titles; the file is also what other programs read: `{"id": …, "title": …}` a line. */
export async function datasetOf(
  texts: readonly string[],
  directory: string,
): Promise<{ path: string; dataset: Dataset }> {
  const path = join(directory, 'texts.jsonl');
  await writeFile(path, texts.map((title, id) => `${JSON.stringify({ id: String(id), title })}\n`).join(''));
  const items = { path: 'texts.jsonl', id: 'id', title: 'title' };
  return { path, dataset: await loadDataset({ source: 'jsonl', items }, { baseDirectory: directory }) };
}
