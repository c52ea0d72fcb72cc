/**
 * What the words of titles say of genres: spherical k-means of the GloVe vectors of MovieLens titles, as many clusters as there are
 * genres, and how much cluster and genre tell of each other. Titles say little of genres, so the figure is small, and honest.
 *
 *     npm run bench -- content        (needs movielens-latest-small: nigh fetch, or NIGH_DATA)
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embedSpace, loadDataset, parseRecipe } from 'nigh';
import { kmeans, pca } from 'nigh/embeddings';
import { say } from './report/say.js';

const recipePath = join(dirname(fileURLToPath(import.meta.url)), '../../indexes/movies/recipe.json');

export async function content(): Promise<void> {
  const { dataset: source, ...recipe } = JSON.parse(await readFile(recipePath, 'utf8'));
  const { source: kind, fetch } = source;
  const dataset = await loadDataset({ source: kind, fetch }, { baseDirectory: dirname(recipePath) });
  const genres = dataset.columns.get('genres');
  if (genres?.type !== 'tags') throw new Error('MovieLens has no genres.');
  for (const [name, space] of Object.entries({
    'GloVe, mean': { embedding: 'glove', numbers: false },
    'GloVe, sif': { embedding: 'glove', numbers: false, weighting: 'sif' },
    'genres themselves': { embedding: 'features', blocks: { genres: { type: 'tags' } } },
  })) {
    const json = JSON.stringify({ ...recipe, dataset: { source: kind, fetch }, taste: {}, spaces: { one: space } });
    const { matrix, ids } = await embedSpace(parseRecipe(json, dirname(recipePath)));
    const labels = ids.map((id) => genres.values[dataset.items.ordinal(id) ?? -1] ?? []);
    const clusters = new Set(labels.flat()).size;
    const began = performance.now();
    const { assignments, inertias } = await kmeans(matrix, { clusters, spherical: true });
    const took = performance.now() - began;
    const { variances } = await pca(matrix, { components: 1 });
    const total = variances.reduce((sum, value) => sum + value, 0);
    const shuffled = assignments.map((_, r) => assignments[(r * 7919 + 13) % assignments.length] ?? 0);
    say(
      `${name}: ${matrix.rows} × ${matrix.dim}, ${clusters} clusters in ${took.toFixed(0)} ms, ${inertias.length - 1} steps; ` +
        `NMI with genre ${mutualInformation(assignments, labels).toFixed(3)}, by chance ${mutualInformation(shuffled, labels).toFixed(3)}; ` +
        `first component ${((100 * (variances[0] ?? 0)) / total).toFixed(1)} % of the variance`,
    );
  }
}

/**
 * 2 I(cluster; genre) / (H(cluster) + H(genre)): 0 where one says nothing of the other, 1 where each follows from the other. An item of
 * several genres counts in equal parts for each; one without any not at all.
 */
function mutualInformation(clusters: Uint32Array, labels: readonly (readonly string[])[]): number {
  const joint = new Map<string, number>();
  const byCluster = new Map<number, number>();
  const byGenre = new Map<string, number>();
  const add = <Key>(counts: Map<Key, number>, key: Key, count: number) =>
    counts.set(key, (counts.get(key) ?? 0) + count);
  let total = 0;
  clusters.forEach((cluster, r) => {
    for (const genre of labels[r] ?? []) {
      const part = 1 / (labels[r]?.length ?? 1);
      add(joint, `${cluster} ${genre}`, part);
      add(byCluster, cluster, part);
      add(byGenre, genre, part);
      total += part;
    }
  });
  const entropy = (counts: Iterable<number>) => {
    let sum = 0;
    for (const count of counts) sum -= (count / total) * Math.log(count / total);
    return sum;
  };
  const [c, g, both] = [entropy(byCluster.values()), entropy(byGenre.values()), entropy(joint.values())];
  return (2 * (c + g - both)) / (c + g);
}
