import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';

/** A collection on disk that can be built again and again: each build is a new generation. */
export interface Generations extends AsyncDisposable {
  readonly directory: string;
  /** Builds the next one. Items of one kind are alike; `kindOf` says which is of which. Returns its name. */
  build(kindOf?: (item: number) => number): Promise<string>;
}

export const generationItems = 120;
const kinds = ['apple', 'bridge', 'candle', 'desert', 'engine', 'forest', 'garden', 'harbour'];

export async function generations(): Promise<Generations> {
  const parent = await mkdtemp(join(tmpdir(), 'nigh-generations-'));
  const directory = join(parent, 'words');
  return {
    directory,
    async build(kindOf = (item) => item % kinds.length) {
      const lines = Array.from({ length: generationItems }, (_, item) => {
        const kind = kinds[kindOf(item)];
        return JSON.stringify({ id: `i${item}`, title: `${kind} of ${kind}s, number ${item}` });
      });
      await writeFile(join(parent, 'items.jsonl'), `${lines.join('\n')}\n`);
      const recipe = {
        name: 'words',
        dataset: {
          source: 'jsonl',
          items: { path: 'items.jsonl', id: 'id', title: 'title' },
          origin: { name: 'words', licence: 'public domain', source: 'made here' },
        },
        spaces: { text: { embedding: 'tfidf', fields: { title: 1 }, dim: 16 } },
      };
      const { info } = await buildCollection(parseRecipe(JSON.stringify(recipe), parent), directory);
      return info.generation;
    },
    async [Symbol.asyncDispose]() {
      await rm(parent, { recursive: true, force: true });
    },
  };
}
