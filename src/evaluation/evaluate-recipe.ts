/** A recipe's spaces beside baselines: what `nigh evaluate` prints. */
import { invalidArgument, NighError } from '../core/errors.js';
import { checked, choice, flag, integer, number, optional, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { FittedSpace } from '../embeddings/embedding.js';
import type { Recipe, SpaceRecipe } from '../retrieval/recipe.js';
import { ratios } from './deciles.js';
import { evaluateRanking, type RankingResult } from './evaluate-ranking.js';
import { evaluateRating, type RatingResult } from './evaluate-rating.js';
import type { RankingModel, Trainer } from './model.js';
import { biasesTrainer } from './models/biases.js';
import { knnRankingTrainer } from './models/knn-ranking.js';
import { knnRatingTrainer } from './models/knn-rating.js';
import { popularityTrainer, randomRankingTrainer } from './models/ranking-baselines.js';
import { globalMeanTrainer, itemMeanTrainer } from './models/rating-baselines.js';
import { approximateSpaceTrainer, spaceTrainer, type TrainableSpace } from './models/space-model.js';
import type { Split } from './protocols/split.js';
import { protocolNames, splitsOf, validationSplit } from './recipe-splits.js';
import { measureStability, type Stability } from './stability.js';
import { isRecipeGrid, type SpaceTuning, tuneRecipe } from './tune-recipe.js';

const schema = {
  /** What is held out; see the files of protocols/. `leave-one-out` takes the newest interaction where the dataset has times. */
  protocol: choice(protocolNames, { default: 'leave-one-out' }),
  /** Length of the lists. */
  k: integer({ min: 1, max: 10_000, default: 10 }),
  seed: integer({ min: 0, max: 0xffff_fffe, default: 42 }),
  /** Share that `random`, `temporal`, `strong-generalization` (of users) and `item-cold` (of items) hold out. */
  testShare: number({ above: 0, max: 0.99, default: 0.2 }),
  /** Parts of `k-fold`. */
  folds: integer({ min: 2, max: 100, default: 5 }),
  /** Ranks among so many sampled items instead of the catalogue, with `leave-one-out` only; for comparison with published figures. */
  negatives: optional(integer({ min: 1, max: 1_000_000 })),
  /** Held-out interactions of a smaller value are not asked for. Default: all are. */
  relevantFrom: optional(number()),
  /** Whether the spaces are also asked through the index that they would be served by. */
  approximate: flag({ default: true }),
  /** Whether responsiveness and churn are measured, too: two more fits a space. */
  stability: flag({ default: false }),
  /** By space, which values of its parameters to try; the figures are of the best (tune-recipe.ts). */
  grid: optional(checked('an object of spaces, each with an object of parameters and arrays of values', isRecipeGrid)),
  threads: integer({ min: 0, max: 1024, default: 0 }),
};

export type EvaluateOptions = ParamsOf<typeof schema>;

export interface RecipeEvaluation {
  readonly recipe: string;
  readonly protocol: string;
  readonly definition: string;
  /** What a grid search found, by space; empty without a grid. */
  readonly tuning: readonly SpaceTuning[];
  readonly ranking: readonly RankedRow[];
  /** Empty where all values are alike, or the protocol asks for users or items that nothing was rated by. */
  readonly ratings: readonly RatingResult[];
}

export interface RankedRow extends RankingResult {
  /** NDCG through the index / NDCG by exact search, where this row is of an index. */
  readonly retention?: number;
  /** The same for the users of each tenth by activity, and for the items of each tenth by popularity; from the fewest interactions. */
  readonly retentionByActivity?: readonly number[];
  readonly retentionByPopularity?: readonly number[];
  /** With `stability`, for the spaces by exact search. */
  readonly stability?: Stability;
}

export interface EvaluateContext {
  readonly signal?: AbortSignal;
  /** Called with the model at work, and users (or splits) done and in all. */
  readonly onProgress?: (model: string, done: number, total: number) => void;
}

/**
 * Fits every space of the recipe to the training part of each split and ranks the held-out part, beside baselines. Nothing is written.
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, EMPTY_DATASET, ABORTED, and what the dataset and the embeddings throw
 */
export async function evaluateRecipe(
  recipe: Recipe,
  options: Readonly<Record<string, unknown>> = {},
  { signal, onProgress }: EvaluateContext = {},
): Promise<RecipeEvaluation> {
  const read = readParams(schema, options, '');
  if (read.negatives !== undefined && read.protocol !== 'leave-one-out') {
    throw invalidArgument('negatives', 'none but with the protocol leave-one-out', read.protocol);
  }
  const dataset = await recipe.dataset.load({
    baseDirectory: recipe.baseDirectory,
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ stage, done, total }) =>
      onProgress?.(stage === 'read' ? 'reading' : 'downloading', done, total ?? 0),
  });
  if (dataset.interactions.entries === 0) {
    throw new NighError('EMPTY_DATASET', `${recipe.name}: the dataset has no interactions to hold out.`);
  }
  const splits = splitsOf(dataset, read);
  const context = (model: string) => ({
    seed: read.seed,
    threads: read.threads,
    k: read.k,
    ...(signal === undefined ? {} : { signal }),
    ...(read.relevantFrom === undefined ? {} : { relevantFrom: read.relevantFrom }),
    onProgress: (done: number, total: number) => onProgress?.(model, done, total),
  });
  const { onProgress: _, ...quiet } = context('');
  const validation = read.grid && validationSplit(dataset, splits[0]!, read);
  const { recipe: tuned, tuning } = await tuneRecipe(
    recipe,
    read.grid ?? {},
    async (changed, name) => {
      const space = changed.spaces.find((each) => each.name === name)!;
      return (await evaluateRanking(spaceTrainer(trainableSpace(changed, space), dataset), [validation!], quiet)).ndcg;
    },
    { signal, onProgress: (name, done, total) => onProgress?.(`tuning ${name}`, done, total) },
  );
  const ranking: RankedRow[] = [];
  const rank = async (trainer: Trainer<RankingModel>) => {
    const row = await evaluateRanking(trainer, splits, context(trainer.name));
    ranking.push(row);
    return row;
  };
  await rank(randomRankingTrainer);
  await rank(popularityTrainer);
  await rank(knnRankingTrainer());
  for (const space of tuned.spaces) {
    const trainable = trainableSpace(tuned, space);
    const exact = await rank(spaceTrainer(trainable, dataset));
    if (read.stability) {
      const stability = await measureStability(spaceTrainer(trainable, dataset), splits[0]!, context(space.name));
      ranking[ranking.length - 1] = { ...exact, stability };
    }
    // Under a pool or sampled items an index would have to be asked for more than a list.
    const whole = splits.every(({ pool, negatives }) => pool === undefined && negatives === undefined);
    if (!read.approximate || !whole) continue;
    const found = await rank(approximateSpaceTrainer(trainable, dataset, { index: space.index, k: read.k }));
    // Items that an index does not return have no score, so an area under the curve would say nothing.
    ranking[ranking.length - 1] = {
      ...found,
      auc: Number.NaN,
      retention: found.ndcg / exact.ndcg,
      retentionByActivity: ratios(found.ndcgByActivity, exact.ndcgByActivity),
      retentionByPopularity: ratios(found.ndcgByPopularity, exact.ndcgByPopularity),
    };
  }
  const ratings: RatingResult[] = [];
  if (asksForRatings(dataset, splits, read)) {
    for (const trainer of [
      globalMeanTrainer,
      itemMeanTrainer,
      biasesTrainer(),
      knnRatingTrainer({ of: 'item', similarity: 'pearson-baseline', center: 'baseline', shrinkage: 100 }),
    ]) {
      ratings.push(await evaluateRating(trainer, splits, context(trainer.name)));
    }
  }
  const { definition } = splits[0]!;
  return { recipe: recipe.name, protocol: read.protocol, definition, tuning, ranking, ratings };
}

function asksForRatings({ interactions }: Dataset, splits: readonly Split[], { protocol }: EvaluateOptions): boolean {
  const first = interactions.values[0];
  if (protocol === 'item-cold' || splits.some(({ users }) => users === undefined)) return false;
  return interactions.values.some((value) => value !== first);
}

/** A space with the spaces that it reads; a fit to the same training part is not made twice. */
function trainableSpace(recipe: Recipe, space: SpaceRecipe): TrainableSpace {
  let last: { readonly of: Dataset['interactions']; readonly fitted: FittedSpace } | undefined;
  return {
    name: space.name,
    embedding: space.embedding,
    fit: async (dataset, context) => {
      if (last?.of === dataset.interactions) return last.fitted;
      const spaces = new Map<string, FittedSpace>();
      for (const name of space.uses) {
        const used = recipe.spaces.find((other) => other.name === name)!;
        spaces.set(name, await trainableSpace(recipe, used).fit(dataset, context));
      }
      const fitted = await space.fit(dataset, { ...context, spaces, baseDirectory: recipe.baseDirectory });
      last = { of: dataset.interactions, fitted };
      return fitted;
    },
  };
}
