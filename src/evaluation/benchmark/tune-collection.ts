import { join } from 'node:path';
import { invalidArgument, NighError } from '../../core/errors.js';
import { gatherRows } from '../../core/matrix.js';
import { didYouMean } from '../../core/nearest-name.js';
import { openIndex } from '../../index/open-index.js';
import { storedVectors } from '../../index/stored-vectors.js';
import { liveGeneration, readManifest, type SpaceManifest } from '../../retrieval/generation.js';
import { sampleRows } from '../../retrieval/sample-rows.js';
import { spaceFiles } from '../../retrieval/space.js';
import { type IndexTuning, type TuneContext, tuneIndex } from './tune.js';

export interface TuneCollectionOptions extends TuneContext {
  /** Default: the first of the recipe that has vectors. */
  readonly space?: string | undefined;
  /** `items`: which items are like one; `users`: which items are for a user, in spaces that have user vectors. Default `items`. */
  readonly by?: 'items' | 'users' | undefined;
  readonly recall: number;
  readonly k: number;
}

export interface CollectionTuning extends IndexTuning {
  readonly collection: string;
  readonly generation: string;
  readonly space: string;
  readonly by: 'items' | 'users';
  readonly rows: number;
  readonly dim: number;
  readonly metric: string;
  readonly questions: number;
}

const questions = 1000;
const seed = 44;

/**
 * Searches index parameters for the vectors of one space of a built collection, by questions drawn from its items or users. Nothing is changed.
 * @throws NighError UNKNOWN_SPACE, NO_VECTOR for users in a space of items only, UNSUPPORTED for sparse rows, and as tuneIndex
 */
export async function tuneCollection(
  directory: string,
  { space: wanted, by = 'items', ...options }: TuneCollectionOptions,
): Promise<CollectionTuning> {
  const generation = await liveGeneration(directory);
  if (generation === undefined)
    throw new NighError('UNKNOWN_COLLECTION', `There is no built collection in ${directory}.`);
  const folder = join(directory, generation);
  const manifest = await readManifest(folder);
  const space = chosen(manifest.spaces, wanted);
  if (by === 'users' && space.recommend === undefined) {
    throw new NighError(
      'NO_VECTOR',
      `The space ${space.name} has no user vectors, so that there is nothing to tune by them.`,
    );
  }
  const { name } = space;
  const { matrix, metric } = await vectorsOf(
    join(folder, by === 'users' ? spaceFiles.recommend(name) : spaceFiles.similar(name)),
    options,
  );
  const asking = by === 'users' ? (await vectorsOf(join(folder, spaceFiles.users(name)), options)).matrix : matrix;
  const sampled = sampleRows(asking.rows, questions, seed);
  const tuning = await tuneIndex(
    {
      ...{ vectors: matrix, metric, questions: gatherRows(asking, sampled), recall: options.recall, k: options.k },
      ...(by === 'users' ? {} : { self: sampled }),
    },
    options,
  );
  const { rows, dim } = matrix;
  return {
    collection: manifest.name,
    generation,
    space: name,
    by,
    rows,
    dim,
    metric,
    questions: sampled.length,
    ...tuning,
  };
}

function chosen(spaces: readonly SpaceManifest[], wanted: string | undefined): SpaceManifest {
  const dense = spaces.filter(({ similar }) => similar.kind !== 'sparse');
  if (wanted === undefined) {
    if (dense[0] !== undefined) return dense[0];
    throw new NighError('UNSUPPORTED', 'Every space compares sparse rows, whose index has no parameters.');
  }
  const found = spaces.find(({ name }) => name === wanted);
  if (found === undefined) {
    const names = spaces.map(({ name }) => name);
    const hint = didYouMean(wanted, names) || ` It has: ${names.join(', ')}.`;
    throw new NighError('UNKNOWN_SPACE', `The collection has no space ${JSON.stringify(wanted)}.${hint}`);
  }
  if (found.similar.kind === 'sparse') {
    throw new NighError('UNSUPPORTED', `The space ${found.name} compares sparse rows, whose index has no parameters.`);
  }
  return found;
}

async function vectorsOf(path: string, { signal }: Pick<TuneContext, 'signal'>) {
  const index = await openIndex(path);
  try {
    const { matrix } = await storedVectors(index, signal === undefined ? {} : { signal });
    if (matrix.rows < 2) throw invalidArgument(path, 'an index of at least two vectors', matrix.rows);
    return { matrix, metric: index.metric };
  } finally {
    index.close();
  }
}
