/** Two builds of one catalogue that answer differently, and how to tell which of them a directory answers with. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { smallRecipeJson, writeSmallWorld } from './small-world.js';

/** A space of every kind of index. */
const spaces = {
  cf: { embedding: 'als', factors: 8, iterations: 4 },
  text: { embedding: 'tfidf', fields: { title: 1, genres: 1 }, dim: 12, numbers: false, index: { kind: 'flat' } },
  words: { embedding: 'tfidf', fields: { title: 1, genres: 1 }, output: 'sparse', dim: 4, numbers: false },
};

/** What the catalogue was, and what it is. */
export const recipes = {
  old: { ...smallRecipeJson, spaces },
  new: { ...smallRecipeJson, spaces: { ...spaces, cf: { ...spaces.cf, factors: 6 } } },
} as const;

/** Writes the data, and `old.json` and `new.json`, the two recipes. */
export async function writeKeptWorld(directory: string): Promise<void> {
  await writeSmallWorld(directory);
  for (const [name, recipe] of Object.entries(recipes)) {
    await writeFile(join(directory, `${name}.json`), JSON.stringify(recipe));
  }
}

/** What a collection answers to questions of every space, by exact search: the same for the same vectors. */
export async function answersOf(target: string, mode: 'mmap' | 'memory' = 'mmap'): Promise<string> {
  await using world = await Retriever.open(target, { mode });
  const answers = [];
  for (const space of world.info.spaces.map(({ name }) => name)) {
    for (const item of ['river-1', 'opera-4', 'glacier-29']) {
      answers.push(await world.similarItems(item, { space, k: 5, exact: true }));
    }
  }
  for (const user of ['user-0-1', 'user-3-7']) answers.push(await world.recommend(user, { k: 5, exact: true }));
  const results = answers.map(({ results }) => results.map(({ id, score }) => `${id} ${score.toFixed(5)}`));
  return JSON.stringify(results);
}
