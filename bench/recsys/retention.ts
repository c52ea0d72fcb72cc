/** What approximate search loses of a ranking on ML-1M, in all and by tenths of users and items: a graph favours hubs, and a mean hides it. */
import { findEmbedding } from 'nigh/embeddings';
import { approximateSpaceTrainer, evaluateRanking, randomSplit, ratios, spaceTrainer } from 'nigh/evaluation';
import { decimal, textTable } from '../report/text-table.js';
import { asDataset } from './as-dataset.js';
import { ml1mUnion } from './datasets.js';
import { tunedParams } from './tuned.js';

const seed = 42;
const k = 10;

export async function retention(): Promise<void> {
  const matrix = await ml1mUnion();
  if (matrix === undefined) return void process.stdout.write('ml-1m-cold: not in NIGH_DATA, left out.\n');
  const split = randomSplit(matrix, { testShare: 0.2, seed });
  const dataset = asDataset(matrix);
  const cells: string[][] = [];
  for (const [name, embedding] of [
    ['iALS', 'als'],
    ['PureSVD', 'svd'],
  ] as const) {
    const found = findEmbedding(embedding, embedding);
    const params = found.parse(tunedParams('ml-1m, random 80/20', name), embedding);
    const space = {
      name,
      embedding,
      fit: (data: typeof dataset, context: Parameters<typeof found.fit>[2]) => found.fit(data, params, context),
    };
    const exact = await evaluateRanking(spaceTrainer(space, dataset), [split], { seed, k });
    const index = { kind: 'hnsw' } as Parameters<typeof approximateSpaceTrainer>[2]['index'];
    const through = await evaluateRanking(approximateSpaceTrainer(space, dataset, { index, k }), [split], { seed, k });
    const tenths = (of: readonly number[], other: readonly number[]) =>
      ratios(of, other).map((value) => decimal(value, 3));
    cells.push(
      [
        `${name}: users`,
        ...tenths(through.ndcgByActivity, exact.ndcgByActivity),
        decimal(exact.ndcg, 4),
        decimal(through.ndcg / exact.ndcg, 4),
      ],
      [`${name}: items`, ...tenths(through.ndcgByPopularity, exact.ndcgByPopularity), '', ''],
    );
  }
  process.stdout.write(
    `\nRetention on ML-1M (implicit union): NDCG@${k} through HNSW / by exact search, by tenths of users by activity and of items by popularity, from the fewest interactions; – where exact search has no hit\n${split.definition}\n\n`,
  );
  process.stdout.write(
    textTable(['', ...Array.from({ length: 10 }, (_, tenth) => `${tenth + 1}`), 'NDCG', 'retention'], cells),
  );
}
