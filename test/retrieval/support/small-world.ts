import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRecipe, type Recipe } from '../../../src/retrieval/recipe.js';
import { seeded } from '../../embeddings/support.js';

/** Kinds of things, and what their titles are made of. */
export const themes = ['river', 'desert', 'opera', 'glacier'] as const;
const words = ['song', 'story', 'journey', 'secret', 'keeper', 'garden'];

export const itemsPerTheme = 30;
export const usersPerTheme = 25;

/**
 * `<theme>-<n>`: most were liked by most users of their theme. Beside them `lonely-<n>`, which nobody has touched but which have
 * words, and `mute-<n>`, liked by every user of the first theme, whose titles hold no word that another has.
 */
export const itemIds = [
  ...themes.flatMap((theme) => Array.from({ length: itemsPerTheme }, (_, n) => `${theme}-${n}`)),
  ...['lonely-0', 'lonely-1', 'mute-0', 'mute-1'],
];

/** Item ids by user id: what the dataset's interactions say. */
export const likes: ReadonlyMap<string, readonly string[]> = new Map(
  themes.flatMap((theme, t) =>
    Array.from({ length: usersPerTheme }, (_, u): [string, string[]] => {
      const random = seeded(100 * t + u + 1);
      const own = itemIds.filter((id) => id.startsWith(`${theme}-`) && random() < 0.4);
      const other = `${themes[(t + 1) % themes.length]}-${u}`;
      return [`user-${t}-${u}`, [...own, other, ...(t === 0 ? ['mute-0', 'mute-1'] : [])]];
    }),
  ),
);

function title(id: string): string {
  const [theme = '', n = ''] = id.split('-');
  if (theme === 'mute') return `xq${n}zy`;
  const of = theme === 'lonely' ? themes[Number(n)] : theme;
  return `The ${of} ${words[Number(n) % words.length]} (${1950 + Number(n)})`;
}

export const titles: ReadonlyMap<string, string> = new Map(itemIds.map((id) => [id, title(id)]));

/** Spaces of a small world: one of each embedding. */
export const spaces = {
  cf: { embedding: 'als', factors: 12, iterations: 10 },
  text: { embedding: 'tfidf', fields: { title: 1, genres: 1 }, dim: 24, numbers: false },
};

/** A recipe over files that `writeSmallWorld` wrote. */
export function smallRecipe(directory: string, changes: Readonly<Record<string, unknown>> = {}): Recipe {
  return parseRecipe(JSON.stringify({ ...smallRecipeJson, ...changes }), directory);
}

export const smallRecipeJson = {
  name: 'small-world',
  title: 'A small world',
  description: 'Four themes',
  dataset: {
    source: 'jsonl',
    items: {
      path: 'items.jsonl',
      id: 'id',
      title: 'title',
      columns: { genres: { type: 'tags' }, year: { type: 'number' }, note: { type: 'text' } },
    },
    interactions: { path: 'likes.jsonl', user: 'user', item: 'item' },
    origin: { name: 'small world', licence: 'public domain', source: 'made here' },
  },
  spaces,
};

/** Writes the items and interactions that the recipe names. */
export async function writeSmallWorld(directory: string): Promise<void> {
  const items = itemIds.map((id) => ({
    id,
    title: titles.get(id),
    genres: themes.filter((theme) => id.startsWith(theme)),
    year: 1950 + Number(id.split('-')[1]),
    ...(id.endsWith('-7') ? { note: `a note – ${id}` } : {}),
  }));
  const interactions = [...likes].flatMap(([user, liked]) => liked.map((item) => ({ user, item })));
  await writeLines(join(directory, 'items.jsonl'), items);
  await writeLines(join(directory, 'likes.jsonl'), interactions);
}

async function writeLines(path: string, records: readonly object[]): Promise<void> {
  await writeFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
}
