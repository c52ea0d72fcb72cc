/** Which parameters are best: every combination of a grid is tried, on data that the final figures are not taken from. */
import { throwIfAborted } from '../core/abort.js';
import { describe, invalidArgument, NighError } from '../core/errors.js';

/** The values to try of every parameter. Parameters that are not named keep their defaults. */
export type Grid = Readonly<Record<string, readonly unknown[]>>;

/** One combination: a value for every parameter of the grid. */
export type GridPoint = Readonly<Record<string, unknown>>;

export interface GridTrial {
  readonly params: GridPoint;
  /** NaN where the combination failed. */
  readonly score: number;
  /** Why it failed: a step that diverges is a poor combination, not a reason to lose the others. */
  readonly failure?: string;
}

export interface GridSearchResult {
  readonly best: GridTrial;
  /** Best first; of equal scores the one that the grid names first; failures at the end. */
  readonly trials: readonly GridTrial[];
}

export interface GridSearchOptions {
  /** Which scores are better: `largest` (default), as of NDCG, or `smallest`, as of RMSE. */
  readonly better?: 'largest' | 'smallest';
  readonly signal?: AbortSignal;
  /** Called with combinations done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Above this a grid is a mistake. */
const mostPoints = 10_000;

/**
 * Tries every combination, one after the other.
 *
 * ```ts
 * const { best } = await gridSearch({ factors: [32, 64], regularization: [0.01, 0.1] }, async (params) => {
 *   const { ndcg } = await evaluateRanking(trainerOf(params), [validation], { seed: 42, k: 10 });
 *   return ndcg;
 * });
 * ```
 * @param score what a combination is worth, on a validation split that is cut from the training part
 * @throws NighError INVALID_ARGUMENT for an empty grid or one of more than 10,000 combinations, ABORTED, and the first failure where every
 * combination fails
 */
export async function gridSearch(
  grid: Grid,
  score: (params: GridPoint) => Promise<number>,
  { better = 'largest', signal, onProgress }: GridSearchOptions = {},
): Promise<GridSearchResult> {
  const points = gridPoints(grid);
  const sign = better === 'largest' ? 1 : -1;
  const trials: GridTrial[] = [];
  let first: unknown;
  for (const [at, params] of points.entries()) {
    throwIfAborted(signal);
    onProgress?.(at, points.length);
    try {
      const worth = await score(params);
      if (!Number.isFinite(worth)) throw new NighError('INVALID_ARGUMENT', `The score is ${worth}.`);
      trials.push({ params, score: worth });
    } catch (error) {
      if (!(error instanceof NighError) || error.code === 'ABORTED') throw error;
      first ??= error;
      trials.push({ params, score: Number.NaN, failure: error.message });
    }
  }
  onProgress?.(points.length, points.length);
  const found = trials.filter(({ failure }) => failure === undefined).sort((a, b) => sign * (b.score - a.score));
  const [best] = found;
  if (best === undefined) throw first;
  return { best, trials: [...found, ...trials.filter(({ failure }) => failure !== undefined)] };
}

/** Every combination, the last parameter's values running fastest. @throws NighError INVALID_ARGUMENT */
export function gridPoints(grid: Grid): GridPoint[] {
  const entries = Object.entries(grid);
  if (entries.length === 0) throw invalidArgument('grid', 'at least one parameter', grid);
  let points: GridPoint[] = [{}];
  for (const [name, values] of entries) {
    if (!Array.isArray(values) || values.length === 0) {
      throw invalidArgument(`grid.${name}`, 'an array of at least one value', values);
    }
    if (points.length * values.length > mostPoints) {
      throw new NighError('INVALID_ARGUMENT', `grid: expected at most ${mostPoints} combinations, got more.`);
    }
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  return points;
}

/** `factors=64 regularization=0.01`. */
export function describePoint(params: GridPoint): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : describe(value)}`)
    .join(' ');
}
