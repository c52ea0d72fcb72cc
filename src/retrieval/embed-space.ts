/** One space of a recipe, fitted for a pipeline: no index, no collection, nothing kept. */
import { throwIfAborted } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { didYouMean } from '../core/nearest-name.js';
import { checked, choice, integer, optional, readParams, text } from '../core/params.js';
import type { FittedSpace } from '../embeddings/embedding.js';
import { buildOrder } from './build-order.js';
import type { BuildProgress } from './build-progress.js';
import type { Recipe, SpaceRecipe } from './recipe.js';

export interface EmbedOptions {
  /** Default: the recipe's first. */
  readonly space?: string;
  /** Whose vectors. Default `items`. */
  readonly of?: 'items' | 'users';
  readonly signal?: AbortSignal;
  /** Called at most some ten times a second per stage. */
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Native threads; 0 (default) = all. */
  readonly threads?: number;
}

export interface EmbeddedSpace {
  readonly space: string;
  readonly embedding: string;
  /** One row each; those of which the embedding can say nothing are left out. In the order of the dataset. */
  readonly matrix: Matrix;
  /** The id of every row. */
  readonly ids: readonly string[];
  readonly notes: FittedSpace['notes'];
}

type ProgressCallback = NonNullable<EmbedOptions['onProgress']>;

const optionsSchema = {
  space: optional(text()),
  of: choice(['items', 'users'], { default: 'items' }),
  signal: optional(checked('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal)),
  onProgress: optional(checked('a function', (value): value is ProgressCallback => typeof value === 'function')),
  threads: integer({ min: 0, max: 1024, default: 0 }),
};

/**
 * Loads the recipe's dataset and fits one of its spaces, and before it those that it uses.
 *
 * ```ts
 * const { matrix, ids } = await embedSpace(await loadRecipe('indexes/emoji/recipe.json'), { space: 'text' });
 * ```
 * @throws NighError UNKNOWN_SPACE, NO_VECTOR for users in a space of items only, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, and what
 * the dataset's source and the embeddings throw
 */
export async function embedSpace(recipe: Recipe, options: EmbedOptions = {}): Promise<EmbeddedSpace> {
  const { space: name, of, signal, onProgress, threads } = readParams(optionsSchema, options, '');
  const wanted = requireSpace(recipe, name);
  throwIfAborted(signal);
  const dataset = await recipe.dataset.load({
    baseDirectory: recipe.baseDirectory,
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ stage, name: subject, done, total = 0 }) => onProgress?.({ stage, subject, done, total }),
  });
  const spaces = new Map<string, FittedSpace>();
  for (const space of spacesFor(recipe, wanted)) {
    throwIfAborted(signal);
    const fitted = await space.fit(dataset, {
      threads,
      baseDirectory: recipe.baseDirectory,
      spaces,
      ...(signal === undefined ? {} : { signal }),
      onProgress: (done, total) =>
        onProgress?.({ stage: 'embedding', space: space.name, subject: space.embedding, done, total }),
    });
    spaces.set(space.name, fitted);
  }
  const fitted = spaces.get(wanted.name)!;
  const vectors = fitted[of];
  if (vectors === undefined) {
    throw new NighError('NO_VECTOR', `${recipe.name}: the space ${wanted.name} has no vectors of ${of}.`);
  }
  const { matrix, ordinals } = vectors;
  const ids = Array.from(ordinals, (ordinal) => dataset[of].term(ordinal));
  return { space: wanted.name, embedding: wanted.embedding, matrix, ids, notes: fitted.notes };
}

/** @throws NighError UNKNOWN_SPACE naming the nearest */
function requireSpace({ name: recipe, spaces }: Recipe, name: string | undefined): SpaceRecipe {
  const found = name === undefined ? spaces[0] : spaces.find((space) => space.name === name);
  if (found !== undefined) return found;
  const names = spaces.map((space) => space.name);
  const hint = didYouMean(name ?? '', names) || ` It has: ${names.join(', ')}.`;
  throw new NighError('UNKNOWN_SPACE', `The recipe ${recipe} has no space ${JSON.stringify(name)}.${hint}`);
}

/** The space and all that it uses, in the order in which they are fitted. */
function spacesFor({ spaces }: Recipe, wanted: SpaceRecipe): readonly SpaceRecipe[] {
  const order = buildOrder(spaces, 'spaces');
  const needed = new Set([wanted.name]);
  // What is used comes before what uses it, so one pass from the end finds all.
  for (const { name, uses } of order.toReversed()) {
    if (needed.has(name)) for (const used of uses) needed.add(used);
  }
  return order.filter(({ name }) => needed.has(name));
}
