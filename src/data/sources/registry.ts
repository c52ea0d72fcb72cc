import { describe, invalidArgument, NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import { isPlainObject, joinPath } from '../../core/params.js';
import type { Dataset } from '../dataset.js';
import { filterInteractions, parseInteractionFilter } from '../interaction-filter.js';
import type { LoadContext } from '../load-context.js';
import { csvSource } from './csv.js';
import { goodbooksSource } from './goodbooks.js';
import { joinAttributes, parseJoins } from './join.js';
import { jsonlSource } from './jsonl.js';
import { movielensSource } from './movielens.js';
import { npmDependentsSource } from './npm-dependents.js';
import { openmojiSource } from './openmoji.js';
import { parquetSource } from './parquet.js';
import type { DatasetSource } from './source.js';
import { tmdbSource } from './tmdb.js';

/** A `dataset` of a recipe that was checked and can be loaded. */
export interface DatasetSpec {
  /** Name of the source. */
  readonly source: string;
  /** @throws NighError as DatasetSource.load; EMPTY_DATASET when the filter leaves nothing */
  load(context: LoadContext): Promise<Dataset>;
}

/** Options in, a loader out: the same for every source, whatever its options are. */
type Prepare = (options: Readonly<Record<string, unknown>>, path: string) => DatasetSpec['load'];

const sources = new Map<string, Prepare>([
  register(csvSource),
  register(goodbooksSource),
  register(jsonlSource),
  register(movielensSource),
  register(npmDependentsSource),
  register(openmojiSource),
  register(parquetSource),
  register(tmdbSource),
]);

/** The names that a recipe's `dataset.source` may have. */
export function sourceNames(): string[] {
  return [...sources.keys()];
}

/**
 * Checks the `dataset` of a recipe without touching a file.
 * @param path where the value is in the recipe, for messages
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION with the path of the key
 */
export function parseDatasetSpec(value: unknown, path = 'dataset'): DatasetSpec {
  if (!isPlainObject(value)) throw invalidArgument(path, 'an object with "source"', value);
  const { source, filter, join } = value;
  const prepare = typeof source === 'string' ? sources.get(source) : undefined;
  if (typeof source !== 'string' || prepare === undefined) {
    const expected = sourceNames()
      .map((name) => JSON.stringify(name))
      .join(', ');
    const hint = typeof source === 'string' ? didYouMean(source, sourceNames()) : '';
    throw new NighError(
      'INVALID_ARGUMENT',
      `${joinPath(path, 'source')}: expected one of ${expected}, got ${describe(source)}.${hint}`,
    );
  }
  const load = prepare(value, path);
  const joinsAt = joinPath(path, 'join');
  const joins = join === undefined ? [] : parseJoins(join, joinsAt, parseDatasetSpec);
  const parsedFilter = filter === undefined ? undefined : parseInteractionFilter(filter, joinPath(path, 'filter'));
  return {
    source,
    load: async (context) => {
      let dataset = await load(context);
      for (const one of joins) dataset = await joinAttributes(dataset, one, joinsAt, context);
      return parsedFilter === undefined ? dataset : filterInteractions(dataset, parsedFilter);
    },
  };
}

/**
 * Checks and loads the `dataset` of a recipe.
 * @throws NighError as parseDatasetSpec and DatasetSpec.load
 */
export async function loadDataset(value: unknown, context: LoadContext): Promise<Dataset> {
  return parseDatasetSpec(value).load(context);
}

function register<Options>(source: DatasetSource<Options>): [string, Prepare] {
  return [
    source.name,
    (options, path) => {
      const parsed = source.parse(options, path);
      return (context) => source.load(parsed, context);
    },
  ];
}
