/**
 * GloVe vectors of MovieLens titles: that they are the plain means of their words' vectors, how many titles have no known word, and what
 * the words of titles say of genres: spherical k-means, as many clusters as there are genres, and how much cluster and genre tell of each
 * other. Titles say little of genres, so the figure is small, and honest.
 */
import { readWordVectors } from 'nigh';
import { type Dataset, features, glove, kmeans, type Matrix, pca } from 'nigh/embeddings';
import { say } from '../report/say.js';
import { here, movieLens } from './datasets.js';

export async function titles(): Promise<void> {
  const dataset = await movieLens();
  const genres = dataset.columns.get('genres');
  if (genres?.type !== 'tags') throw new Error('MovieLens has no genres.');
  await compareWithCounting(dataset);
  say('\nk-means, as many clusters as genres:');
  for (const [name, fitted] of [
    ['GloVe, mean', await glove.fit(dataset, glove.parse({ numbers: false }, ''), {})],
    ['GloVe, sif', await glove.fit(dataset, glove.parse({ numbers: false, weighting: 'sif' }, ''), {})],
    [
      'genres themselves',
      await features.fit(dataset, features.parse({ blocks: { genres: { type: 'tags' } } }, ''), {}),
    ],
  ] as const) {
    const { matrix, ordinals } = fitted.items;
    const labels = Array.from(ordinals, (item) => genres.values[item] ?? []);
    await cluster(name, matrix, labels);
  }
}

/** Another way of splitting and counting than the embedding's: every run of letters, digits and marks, and every piece between spaces. */
async function compareWithCounting(dataset: Dataset): Promise<void> {
  const { words, matrix } = await readWordVectors('glove-6b-100d', () => true, here);
  const ordinals = new Map(words.map((word, ordinal) => [word, ordinal]));
  const { items, notes } = await glove.fit(dataset, glove.parse({ numbers: false }, ''), {});
  const simple = /^[\p{L} ]+( \(\d{4}\))?$/u;
  let [compared, error, without] = [0, 0, 0];
  const rowOf = new Map(Array.from(items.ordinals, (item, r) => [item, r]));
  dataset.titles.forEach((title, item) => {
    const lower = title.normalize('NFKC').replaceAll('’', "'").toLowerCase();
    const candidates = [/\S+/g, /[\p{L}\p{M}\p{N}]+/gu, /[\p{L}\p{N}]\S*[\p{L}\p{N}]/gu].flatMap(
      (p) => lower.match(p) ?? [],
    );
    if (!candidates.some((word) => ordinals.has(word) && /\p{L}/u.test(word))) without++;
    // In a title of plain words there is one way only to find them, and the mean can be taken by hand.
    if (!simple.test(title)) return;
    const known = lower
      .replace(/ \(\d{4}\)$/, '')
      .split(' ')
      .filter((word) => ordinals.has(word));
    const r = rowOf.get(item);
    if (known.length === 0 || r === undefined) return;
    compared++;
    for (let d = 0; d < matrix.dim; d++) {
      const sum = known.reduce((total, word) => total + matrix.data[ordinals.get(word)! * matrix.dim + d]!, 0);
      error = Math.max(error, Math.abs(sum / known.length - items.matrix.data[r * matrix.dim + d]!));
    }
  });
  say(
    `\nGloVe of ${dataset.titles.length} MovieLens titles: at most ${error.toExponential(1)} from the plain mean of their words' vectors ` +
      `(${compared} titles of plain words, ${matrix.dim} values each); without a known word ${notes.withoutKnownWord}, counted another way ${without}`,
  );
}

async function cluster(name: string, matrix: Matrix, labels: readonly (readonly string[])[]): Promise<void> {
  const clusters = new Set(labels.flat()).size;
  const began = performance.now();
  const { assignments, inertias } = await kmeans(matrix, { clusters, spherical: true });
  const took = performance.now() - began;
  const { variances } = await pca(matrix, { components: 1 });
  const total = variances.reduce((sum, value) => sum + value, 0);
  const shuffled = assignments.map((_, r) => assignments[(r * 7919 + 13) % assignments.length] ?? 0);
  say(
    `  ${name}: ${matrix.rows} × ${matrix.dim}, ${clusters} clusters in ${took.toFixed(0)} ms, ${inertias.length - 1} steps; ` +
      `NMI with genre ${mutualInformation(assignments, labels).toFixed(3)}, by chance ${mutualInformation(shuffled, labels).toFixed(3)}; ` +
      `first component ${((100 * (variances[0] ?? 0)) / total).toFixed(1)} % of the variance`,
  );
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
