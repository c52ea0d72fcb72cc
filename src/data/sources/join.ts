/**
 * The key `join` of any dataset: attributes from another one, by its item ids.
 *
 *   "join": { "dataset": { "source": "tmdb" }, "on": "tmdbId", "columns": ["overview", "keywords"], "optional": true }
 */
import { describe, invalidArgument, NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import { type Field, flag, joinPath, optional, readParams, text } from '../../core/params.js';
import type { Column, Dataset } from '../dataset.js';
import type { LoadContext } from '../load-context.js';

/** A join that was checked. */
export interface Join {
  /** Loads the other dataset. */
  readonly load: (context: LoadContext) => Promise<Dataset>;
  /** Name of its source, for messages. */
  readonly source: string;
  /** The text column with the ids of the other dataset; undefined where its ids are this one's. */
  readonly on: string | undefined;
  /** The columns to take; undefined takes all. */
  readonly columns: readonly string[] | undefined;
  /** Whether the other dataset may be missing: then there are no further columns, and the dataset's origin says so. */
  readonly optional: boolean;
}

const names: Field<readonly string[]> = {
  optional: false,
  read: (value, path) => {
    if (!Array.isArray(value) || value.length === 0 || !value.every((name) => typeof name === 'string')) {
      throw invalidArgument(path, 'a list of column names', value);
    }
    return value;
  },
};

/**
 * Checks a `join`, or a list of them.
 * @param parseDataset reads the `dataset` of a join
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION with the path of the key
 */
export function parseJoins(
  value: unknown,
  path: string,
  parseDataset: (value: unknown, path: string) => { readonly source: string; readonly load: Join['load'] },
): readonly Join[] {
  const schema = {
    dataset: { read: parseDataset, optional: false },
    on: optional(text()),
    columns: optional(names),
    optional: flag({ default: false }),
  };
  const given = Array.isArray(value) ? value : [value];
  return given.map((entry, at) => {
    const { dataset, ...rest } = readParams(schema, entry, Array.isArray(value) ? `${path}[${at}]` : path);
    return { ...rest, source: dataset.source, load: dataset.load };
  });
}

/**
 * The dataset with further columns. Items whose key the other dataset lacks have no value in them.
 * @throws NighError as DatasetSource.load; MISSING_COLUMN for `on` or a column that is not there; INVALID_ARGUMENT for a column that
 * both datasets have
 */
export async function joinAttributes(
  dataset: Dataset,
  join: Join,
  path: string,
  context: LoadContext,
): Promise<Dataset> {
  const keys = keysOf(dataset, join, path);
  let other: Dataset;
  try {
    other = await join.load(context);
  } catch (error) {
    if (!join.optional || !(error instanceof NighError) || error.code !== 'NOT_FOUND') throw error;
    const { origin } = dataset;
    return {
      ...dataset,
      origin: { ...origin, source: `${origin.source} (without ${join.source}, which was not there)` },
    };
  }
  const rows = keys.map((key) => (key === undefined ? undefined : other.items.ordinal(key)));
  const columns = new Map(dataset.columns);
  for (const name of join.columns ?? other.columns.keys()) {
    const column = other.columns.get(name);
    if (column === undefined) throw missing(joinPath(path, 'columns'), name, other);
    if (columns.has(name)) {
      throw new NighError(
        'INVALID_ARGUMENT',
        `${joinPath(path, 'columns')}: both ${dataset.origin.name} and ${other.origin.name} have a column ${describe(name)}; list those to take.`,
      );
    }
    columns.set(name, gather(column, rows));
  }
  const { origin } = dataset;
  return {
    ...dataset,
    columns,
    origin: {
      name: `${origin.name} + ${other.origin.name}`,
      licence: `${origin.licence} ${other.origin.name}: ${other.origin.licence}`,
      source: `${origin.source} ${other.origin.source}`,
    },
  };
}

function keysOf(dataset: Dataset, { on }: Join, path: string): readonly (string | undefined)[] {
  if (on === undefined) return dataset.items.terms;
  const column = dataset.columns.get(on);
  if (column === undefined) throw missing(joinPath(path, 'on'), on, dataset);
  if (column.type === 'text') return column.values;
  throw new NighError(
    'INVALID_ARGUMENT',
    `${joinPath(path, 'on')}: expected a column of text, got one of ${column.type}s.`,
  );
}

function gather(column: Column, rows: readonly (number | undefined)[]): Column {
  const pick = <T>(values: readonly T[]) => rows.map((row) => (row === undefined ? undefined : values[row]));
  switch (column.type) {
    case 'text':
      return { type: 'text', values: pick(column.values) };
    case 'number':
      return { type: 'number', values: pick(column.values) };
    case 'tags':
      return { type: 'tags', values: pick(column.values) };
  }
}

function missing(path: string, name: string, { origin, columns }: Dataset): NighError {
  const known = [...columns.keys()];
  const hint = didYouMean(name, known) || ` It has: ${known.join(', ') || 'none'}.`;
  return new NighError('MISSING_COLUMN', `${path}: the dataset ${origin.name} has no column ${describe(name)}.${hint}`);
}
