/** A small catalogue with three tastes that overlap a little: enough for every command, built in a moment. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const tastes = [
  { genre: 'western', words: ['Rider', 'Canyon', 'Sheriff', 'Dust', 'Saloon'] },
  { genre: 'space opera', words: ['Galaxy', 'Nebula', 'Android', 'Orbit', 'Comet'] },
  { genre: 'noir', words: ['Shadow', 'Detective', 'Midnight', 'Alley', 'Smoke'] },
] as const;

const filmsPerTaste = 20;
const usersPerTaste = 30;

/** The films of the catalogue: id, title, genre, year. */
export const films = tastes.flatMap(({ genre, words }, taste) =>
  Array.from({ length: filmsPerTaste }, (_, i) => ({
    id: `f${taste * filmsPerTaste + i + 1}`,
    title: `${words[i % words.length]} ${words[(i * 2 + 1) % words.length]} ${i + 1}`,
    genre,
    year: 1950 + i,
  })),
);

/** Everybody likes some twelve films of one taste, and one of another. */
export const likes = tastes.flatMap((_, taste) =>
  Array.from({ length: usersPerTaste }, (_, u) => {
    const user = `u${taste * usersPerTaste + u + 1}`;
    const own = Array.from({ length: filmsPerTaste }, (_, i) => i).filter((i) => (i * 7 + u * 5) % 11 < 7);
    const other = ((taste + 1) % tastes.length) * filmsPerTaste + (u % filmsPerTaste);
    return [...own.map((i) => taste * filmsPerTaste + i), other].map((film) => ({ user, film: films[film]?.id ?? '' }));
  }).flat(),
);

export const recipe = {
  name: 'films',
  title: 'Sixty films',
  dataset: {
    source: 'csv',
    items: {
      path: 'films.csv',
      id: 'id',
      title: 'title',
      columns: { genre: { type: 'tags' }, year: { type: 'number' } },
    },
    interactions: { path: 'likes.csv', user: 'user', item: 'film' },
  },
  spaces: {
    cf: { embedding: 'als', factors: 8, iterations: 10 },
    text: { embedding: 'tfidf', fields: { title: 1, genre: 2 }, dim: 8 },
  },
};

/** Writes the files and the recipe into `indexes/<name>` of a folder, as a user would lay them out. */
export function layOut(folder: string, changes: object = {}, name = 'films'): string {
  const directory = join(folder, 'indexes', name);
  mkdirSync(directory, { recursive: true });
  const items = films.map(({ id, title, genre, year }) => `${id},${title},${genre},${year}`);
  writeFileSync(join(directory, 'films.csv'), ['id,title,genre,year', ...items, ''].join('\n'));
  writeFileSync(
    join(directory, 'likes.csv'),
    ['user,film', ...likes.map(({ user, film }) => `${user},${film}`), ''].join('\n'),
  );
  writeFileSync(join(directory, 'recipe.json'), JSON.stringify({ ...recipe, name, ...changes }, null, 2));
  return directory;
}
