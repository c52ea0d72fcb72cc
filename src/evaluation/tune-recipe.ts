/** Grid search over the parameters of a recipe's spaces: each space by itself, in the order of the grid, by NDCG on a validation split. */
import { invalidArgument } from '../core/errors.js';
import { isPlainObject } from '../core/params.js';
import { parseRecipe, type Recipe } from '../retrieval/recipe.js';
import { type Grid, type GridPoint, type GridTrial, gridPoints, gridSearch } from './grid-search.js';

/** By space, the values to try of its parameters. */
export type RecipeGrid = Readonly<Record<string, Grid>>;

export interface SpaceTuning {
  readonly space: string;
  /** Best first, scored by NDCG. */
  readonly trials: readonly GridTrial[];
  /** What the figures are of. */
  readonly best: GridPoint;
}

export function isRecipeGrid(value: unknown): value is RecipeGrid {
  return isPlainObject(value) && Object.values(value).every(isPlainObject);
}

export interface TuneOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the space, and combinations done and in all. */
  readonly onProgress?: (space: string, done: number, total: number) => void;
}

/**
 * The recipe with the best of the tried parameters in it.
 * @param score NDCG of a space of a changed recipe
 * @throws NighError INVALID_ARGUMENT for a space that is not there or a value that no space takes, UNKNOWN_OPTION for a parameter that is
 * not one, before anything is fitted; and as gridSearch
 */
export async function tuneRecipe(
  recipe: Recipe,
  grid: RecipeGrid,
  score: (changed: Recipe, space: string) => Promise<number>,
  { signal, onProgress }: TuneOptions = {},
): Promise<{ readonly recipe: Recipe; readonly tuning: readonly SpaceTuning[] }> {
  const spaces = recipe.spaces.map(({ name }) => name);
  for (const [space, values] of Object.entries(grid)) {
    if (!spaces.includes(space)) {
      throw invalidArgument('grid', `spaces of the recipe (${spaces.join(', ')})`, space);
    }
    for (const params of gridPoints(values)) withParams(recipe, space, params);
  }
  let tuned = recipe;
  const tuning: SpaceTuning[] = [];
  for (const [space, values] of Object.entries(grid)) {
    const from = tuned;
    const { best, trials } = await gridSearch(values, (params) => score(withParams(from, space, params), space), {
      ...(signal === undefined ? {} : { signal }),
      onProgress: (done, total) => onProgress?.(space, done, total),
    });
    tuned = withParams(from, space, best.params);
    tuning.push({ space, trials, best: best.params });
  }
  return { recipe: tuned, tuning };
}

function withParams(recipe: Recipe, space: string, params: GridPoint): Recipe {
  const json = JSON.parse(recipe.json);
  const spaces = { ...json.spaces, [space]: { ...json.spaces[space], ...params } };
  return parseRecipe(JSON.stringify({ ...json, spaces }), recipe.baseDirectory, recipe.name);
}
