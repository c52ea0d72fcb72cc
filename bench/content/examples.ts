/** Published examples: what stands beside The Godfather and The Dark Knight Rises by what is written about them, and how ties are broken. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCollection, parseRecipe, Retriever } from 'nigh';
import { dataFile } from '../recsys/datasets.js';
import { say } from '../report/say.js';
import { repository, withDirectory } from './datasets.js';

export async function examples(): Promise<void> {
  if (dataFile('ml-latest-small') === undefined || dataFile('tmdb-5000') === undefined) {
    return say('examples: left out, they need NIGH_DATA with ml-latest-small and tmdb-5000.');
  }
  const baseDirectory = join(repository, 'indexes/movies');
  const { spaces, ...recipe } = JSON.parse(await readFile(join(baseDirectory, 'recipe.json'), 'utf8'));
  const genres = {
    embedding: 'tfidf',
    fields: { genres: { tokens: false } },
    maxDocumentShare: 1,
    output: 'sparse',
  };
  const json = JSON.stringify({ ...recipe, spaces: { text: spaces.text, genres } });
  await withDirectory(async (directory) => {
    await buildCollection(parseRecipe(json, baseDirectory), directory);
    await using movies = await Retriever.open(directory);
    say('\nNearest by text (TF-IDF of overview, keywords, tags, genres and title, LSA):');
    for (const title of ['Godfather, The (1972)', 'Dark Knight Rises, The (2012)']) {
      const { results } = await movies.similarItems(movies.resolveItem(title), { space: 'text', k: 10 });
      say(`  ${title}`);
      for (const { title: other, score } of results) say(`    ${score.toFixed(3)}  ${other}`);
    }
    const ask = () => movies.similarItems(movies.resolveItem('Toy Story (1995)'), { space: 'genres', k: 6 });
    const [first, second] = [(await ask()).results, (await ask()).results];
    const ids = first.map(({ id }) => Number(id));
    say('Nearest to Toy Story by genres and nothing else, which are the same for all of these:');
    for (const { id, title, score } of first) say(`    ${score.toFixed(6)}  ${title}, id ${id}`);
    say(
      `  all tie: ${first.every(({ score }) => score === first[0]?.score)}; in the order of the catalogue: ` +
        `${ids.every((id, i) => i === 0 || id > ids[i - 1]!)}; the same when asked again: ` +
        `${first.every(({ id }, i) => id === second[i]?.id)}`,
    );
  });
}
