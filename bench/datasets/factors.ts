import { loadDataset as loadInteractions } from 'nigh';
import { als } from 'nigh/embeddings';
import type { BenchDatasetSource } from './dataset.js';

const iterations = 15;

/**
 * Factors that iALS of this package makes of interactions, which is what its indexes hold in practice: items to find by inner product, users to
 * ask with (the first 10,000 with any interaction). Sums of floats differ between machines and threads in their last bits, so that
 * their digest is in the result and not known beforehand.
 */
function trainedFactors(
  name: string,
  what: string,
  source: Parameters<typeof loadInteractions>[0],
  factors: number,
): BenchDatasetSource {
  return {
    name,
    about: `${what}: items under inner product by iALS with ${factors} factors, ${iterations} iterations; queries are users`,
    metric: 'ip',
    version: 1,
    async make() {
      const dataset = await loadInteractions(source, { baseDirectory: '.' });
      const { items, users } = await als.fit(dataset, als.parse({ factors, iterations }, 'als'), { threads: 1 });
      if (users === undefined) throw new Error(`${name}: the factors have no users.`);
      const { data, dim } = users.matrix;
      return { base: items.matrix.data, queries: data.slice(0, 10_000 * dim), dim };
    },
  };
}

export const npmGraph = trainedFactors(
  'npm-graph-factors',
  'npm packages and what depends on them, December 2016',
  { source: 'npm-dependents' },
  64,
);

export const movieLens = trainedFactors(
  'movielens-factors',
  'MovieLens latest-small from NIGH_DATA',
  { source: 'movielens', fetch: 'movielens-latest-small' },
  64,
);
