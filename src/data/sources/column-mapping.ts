import { invalidArgument, NighError } from '../../core/errors.js';
import { choice, type Field, isPlainObject, joinPath, optional, type ParamsOf, readParams } from '../../core/params.js';
import type { DatasetOrigin } from '../dataset.js';
import type { MergePolicy, UnknownItemPolicy } from '../dataset-builder.js';

function field<T>(read: Field<T>['read']): Field<T> {
  return { read, optional: false };
}

const name = field((value, path): string => {
  if (typeof value !== 'string' || value === '') throw invalidArgument(path, 'a text that is not empty', value);
  return value;
});

/** One attribute column: `{ "type": "tags", "from": "genres", "separator": "|" }`. */
export interface AttributeMapping {
  /**
   * `text`; `number`, a finite one; `date`, ISO 8601 (UTC where it names no zone), kept as a number of Unix seconds; `tags`, a list.
   * An empty value is unknown for every type.
   */
  readonly type: 'text' | 'number' | 'date' | 'tags';
  /** The column of the file. Default: the attribute's own name. */
  readonly from: string;
  /** What stands between two tags in a text. Default `|`. Only for tags. */
  readonly separator: string;
}

/** The key `items`: which file has the catalogue, and which of its columns are what. */
export interface ItemsMapping {
  /**
   * The file, relative to the recipe; decompressed where its name ends in `.gz`. A pattern such as `parts/*.csv.gz` is all files that fit, in the
   * order of their names; `-` is the standard input.
   */
  readonly path: string;
  /** The column with the ids, which must be distinct. */
  readonly id: string;
  /** The column with the titles. Default: ids are titles. An empty title is replaced by the id. */
  readonly title: string | undefined;
  /** The column with the paths of pictures, within the folder of this file. An empty one: no picture. Default: there are none. */
  readonly picture: string | undefined;
  /** The attributes by the names that they get. Default: none. */
  readonly columns: ReadonlyMap<string, AttributeMapping>;
  /** Only for CSV. Names of the columns of a file that does not begin with them. Default: its first line has them. */
  readonly header: readonly string[] | undefined;
}

/** The key `interactions`: which file has them, and which of its columns are what. */
export interface InteractionsMapping {
  /**
   * The file, relative to the recipe; decompressed where its name ends in `.gz`. A pattern such as `parts/*.csv.gz` is all files that fit, in the
   * order of their names; `-` is the standard input.
   */
  readonly path: string;
  readonly user: string;
  readonly item: string;
  /** The column with ratings or counts. Default: every value is 1. */
  readonly value: string | undefined;
  /** The column with the times. Default: the dataset has none. */
  readonly timestamp: string | undefined;
  /** How times are written: a number of seconds or milliseconds since 1970, or ISO 8601. Default `seconds`. */
  readonly timestampUnit: 'seconds' | 'milliseconds' | 'iso';
  /** What becomes of several interactions of one user with one item: the newest counts, or the values are added up. Default `last`. */
  readonly merge: MergePolicy;
  /** What becomes of interactions with items that `items` lacks. Default `error`; `add` where there is no `items`. */
  readonly unknownItems: UnknownItemPolicy;
  /** Only for CSV. Names of the columns of a file that does not begin with them. Default: its first line has them. */
  readonly header: readonly string[] | undefined;
}

/** What the sources with column mapping share. At least one of `items` and `interactions` is there. */
export interface MappedOptions {
  readonly items: ItemsMapping | undefined;
  readonly interactions: InteractionsMapping | undefined;
  /** Key `origin`: what manifests say about the dataset. */
  readonly origin: Partial<DatasetOrigin>;
}

const attributeTypes = ['text', 'number', 'date', 'tags'] as const;

const attributeField = field((value, path): Omit<AttributeMapping, 'from'> & { from: string | undefined } => {
  const schema = { type: choice(attributeTypes), from: optional(name), separator: optional(name) };
  const { type, from, separator } = readParams(schema, value, path);
  if (separator !== undefined && type !== 'tags') {
    throw invalidArgument(joinPath(path, 'separator'), `none: ${type} is not a list`, separator);
  }
  return { type, from, separator: separator ?? '|' };
});

const attributesField = field((value, path): ReadonlyMap<string, AttributeMapping> => {
  if (!isPlainObject(value)) throw invalidArgument(path, 'an object of columns', value);
  const columns = new Map<string, AttributeMapping>();
  for (const [key, given] of Object.entries(value)) {
    // Embeddings call the titles "title": a column of that name could never be reached.
    if (key === 'title') throw invalidArgument(joinPath(path, key), 'another name, since titles are called so', given);
    const mapping = attributeField.read(given, joinPath(path, key));
    columns.set(key, { ...mapping, from: mapping.from ?? key });
  }
  return columns;
});

const headerField = field((value, path): readonly string[] => {
  if (!Array.isArray(value) || value.length === 0 || !value.every((entry) => typeof entry === 'string')) {
    throw invalidArgument(path, 'an array of column names', value);
  }
  return value;
});

const itemsField = field((value, path): ItemsMapping => {
  const schema = {
    path: name,
    id: name,
    title: optional(name),
    picture: optional(name),
    columns: optional(attributesField),
    header: optional(headerField),
  };
  const { columns, ...rest } = readParams(schema, value, path);
  return { ...rest, columns: columns ?? new Map() };
});

const interactionsField = field(
  (value, path): Omit<InteractionsMapping, 'unknownItems'> & { unknownItems: UnknownItemPolicy | undefined } => {
    const schema = {
      path: name,
      user: name,
      item: name,
      value: optional(name),
      timestamp: optional(name),
      timestampUnit: optional(choice(['seconds', 'milliseconds', 'iso'])),
      merge: choice(['last', 'sum'], { default: 'last' }),
      unknownItems: optional(choice(['add', 'skip', 'error'])),
      header: optional(headerField),
    };
    const { timestampUnit, ...rest } = readParams(schema, value, path);
    if (timestampUnit !== undefined && rest.timestamp === undefined) {
      throw invalidArgument(joinPath(path, 'timestampUnit'), 'none without "timestamp"', timestampUnit);
    }
    return { ...rest, timestampUnit: timestampUnit ?? 'seconds' };
  },
);

const originField = field((value, path): Partial<DatasetOrigin> => {
  const read = readParams({ name: optional(name), licence: optional(name), source: optional(name) }, value, path);
  return Object.fromEntries(Object.entries(read).filter(([, text]) => text !== undefined));
});

/** The fields of a source with column mapping, for its schema. */
export const mappedSchema = {
  items: optional(itemsField),
  interactions: optional(interactionsField),
  origin: optional(originField),
};

/**
 * What depends on more than one of the fields.
 * @throws NighError INVALID_ARGUMENT when there are neither items nor interactions
 */
export function completeMapping(parsed: ParamsOf<typeof mappedSchema>, path: string): MappedOptions {
  const { items, interactions, origin } = parsed;
  if (items === undefined && interactions === undefined) {
    throw new NighError('INVALID_ARGUMENT', `${path}: expected "items", "interactions" or both.`);
  }
  const unknownItems = interactions?.unknownItems ?? (items === undefined ? 'add' : 'error');
  return {
    items,
    interactions: interactions === undefined ? undefined : { ...interactions, unknownItems },
    origin: origin ?? {},
  };
}
