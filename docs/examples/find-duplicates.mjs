// Products that are in the catalogue twice: pairs whose titles are near and whose pictures, where both have one, are near too.
//   node find-duplicates.mjs <recipe.json> [<space of titles> [<space of pictures>]]
// Spaces are fitted without building a collection; a range search gives every product within a distance, however many these are.
import { embedSpace, FlatIndex, loadRecipe } from 'nigh';

const nearTitles = 0.25;
const nearPictures = 0.05;

const [path, titles = 'title', pictures] = process.argv.slice(2);
const recipe = await loadRecipe(path);

/** Pairs of ids, "a b" with a before b, with their distance. */
async function pairsWithin(space, within) {
  const { matrix, ids } = await embedSpace(recipe, { space });
  const index = await FlatIndex.build(matrix, { metric: 'cosine' });
  const pairs = new Map();
  for (let row = 0; row < matrix.rows; row++) {
    const vector = matrix.data.subarray(row * matrix.dim, (row + 1) * matrix.dim);
    const found = await index.search(vector, matrix.rows, { within });
    found.ids.forEach((other, at) => {
      if (other > row) pairs.set(JSON.stringify([ids[row], ids[other]]), found.distances[at]);
    });
  }
  index.close();
  return { pairs, known: new Set(ids) };
}

const byTitle = await pairsWithin(titles, nearTitles);
const byPicture = pictures === undefined ? undefined : await pairsWithin(pictures, nearPictures);
for (const [pair, distance] of [...byTitle.pairs].sort(([, a], [, b]) => a - b)) {
  const [one, other] = JSON.parse(pair);
  const bothHavePictures = byPicture?.known.has(one) === true && byPicture.known.has(other);
  if (bothHavePictures && !byPicture.pairs.has(pair)) continue;
  console.log(JSON.stringify({ one, other, distance: Number(distance.toFixed(4)) }));
}
