import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';

/** Ids as they are found in the wild, all of which must work in a URL. */
export const oddIds = [
  '@angular/core',
  'body-parser',
  'a/b',
  'a/',
  'with space',
  '100%',
  '%2F',
  'a?b#c&d=e;f',
  'zażółć gęślą',
  '日本語',
  '🦊',
  'quote"\'\\',
];

/** The pictures of canyons; nothing else has one. */
const pictures: Readonly<Record<string, string | Buffer>> = {
  'canyon.svg':
    '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><rect width="48" height="48" fill="#c63"/></svg>',
  // One pixel.
  'canyon.png': Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
};

const themes = ['river', 'harbour', 'desert', 'glacier', 'meadow', 'canyon'];
const kinds = ['song', 'story', 'journey', 'secret', 'keeper'];
const perTheme = 30;
const usersPerTheme = 25;

/** Two collections, built and opened: `films` has users and some pictures, `signs` has emoji and no users. */
export interface SmallCollections extends AsyncDisposable {
  readonly films: Retriever;
  readonly signs: Retriever;
}

/**
 * `films`: item `t-n` belongs to theme t, and so does every odd id to the first; user `u-t-m` saw most items of theme t and
 * nothing else, so what suits whom is known.
 */
export async function smallCollections(): Promise<SmallCollections> {
  const directory = await mkdtemp(join(tmpdir(), 'nigh-service-'));
  for (const [name, content] of Object.entries(pictures)) await writeFile(join(directory, name), content);
  const films = await open(directory, 'films', filmRecords());
  const signs = await open(directory, 'signs', signRecords());
  return {
    films,
    signs,
    async [Symbol.asyncDispose]() {
      await films.close();
      await signs.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Records {
  readonly items: readonly Record<string, unknown>[];
  readonly interactions: readonly { user: string; item: string }[];
  readonly columns: Record<string, { type: string }>;
  readonly spaces: Record<string, unknown>;
}

function filmRecords(): Records {
  const ids = themes.map((theme, t) => [
    ...(t === 0 ? oddIds : []),
    ...Array.from({ length: perTheme }, (_, n) => `${theme}-${n}`),
  ]);
  const items = ids.flatMap((ofTheme, t) =>
    ofTheme.map((id, n) => ({
      id,
      title: `${themes[t]} ${kinds[n % kinds.length]} ${n}`,
      genres: [themes[t], kinds[n % kinds.length]],
      year: 1980 + n,
      ...(themes[t] === 'canyon' ? { file: n % 3 === 1 ? 'canyon.png' : 'canyon.svg' } : {}),
    })),
  );
  const interactions = ids.flatMap((ofTheme, t) =>
    Array.from({ length: usersPerTheme }, (_, m) =>
      ofTheme.flatMap((item, n) => ((n + m) % 4 === 0 ? [] : [{ user: `u-${t}-${m}`, item }])),
    ).flat(),
  );
  return {
    items,
    interactions: [...interactions, { user: 'somebody/with a slash', item: 'harbour-1' }],
    columns: { genres: { type: 'tags' }, year: { type: 'number' } },
    spaces: {
      cf: { embedding: 'als', factors: 16 },
      text: { embedding: 'tfidf', fields: { title: 2, genres: 1 }, dim: 16 },
    },
  };
}

function signRecords(): Records {
  const emoji = ['🌊', '⚓', '🌵', '🧊', '🌼', '⛰️'];
  const items = themes.flatMap((theme, t) =>
    Array.from({ length: 10 }, (_, n) => ({
      id: `${theme}-${n}`,
      title: `${theme} sign ${n}`,
      emoji: emoji[t],
      tags: [theme, `${theme}s`],
    })),
  );
  return {
    items,
    interactions: [],
    columns: { emoji: { type: 'text' }, tags: { type: 'tags' } },
    spaces: { text: { embedding: 'tfidf', fields: { title: 2, tags: 1 }, dim: 16 } },
  };
}

async function open(
  directory: string,
  name: string,
  { items, interactions, columns, spaces }: Records,
): Promise<Retriever> {
  await writeJsonLines(join(directory, `${name}.items.jsonl`), items);
  if (interactions.length > 0) await writeJsonLines(join(directory, `${name}.interactions.jsonl`), interactions);
  const recipe = {
    name,
    title: name === 'films' ? 'Films' : 'Signs',
    description: `${name} of a small world`,
    dataset: {
      source: 'jsonl',
      items: {
        path: `${name}.items.jsonl`,
        id: 'id',
        title: 'title',
        columns,
        ...(name === 'films' ? { picture: 'file' } : {}),
      },
      ...(interactions.length > 0
        ? { interactions: { path: `${name}.interactions.jsonl`, user: 'user', item: 'item' } }
        : {}),
      origin: { name: 'a small world', licence: 'public domain', source: 'made here' },
    },
    spaces,
    ...(name === 'films' ? { pictures: true } : {}),
  };
  const target = join(directory, name);
  await buildCollection(parseRecipe(JSON.stringify(recipe), directory), target);
  return Retriever.open(target);
}

async function writeJsonLines(path: string, records: readonly object[]): Promise<void> {
  await writeFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
}
