/** Whether what a manifest holds is what the rest of the code takes it to be: a checksum says who wrote it, not that it makes sense. */
import { describe, NighError } from '../core/errors.js';
import { type Field, integer, isPlainObject, joinPath, number, optional, text } from '../core/params.js';
import type { Manifest } from './generation.js';
import { tasteField } from './taste.js';

type Fields = Readonly<Record<string, Field<unknown>>>;

const count = integer({ min: 0 });
const share = number({ min: 0, max: 1 });
const name = matching(/^[a-z0-9][a-z0-9._-]*$/i, 'a name of letters, digits, ".", "-" and "_"');

const indexFields: Fields = {
  kind: text(),
  metric: text(),
  dim: count,
  count,
  fileBytes: count,
  recallAt10: share,
  queries: count,
};

const spaceFields: Fields = {
  name,
  embedding: text(),
  dim: count,
  items: count,
  users: count,
  similar: object(indexFields),
  recommend: optional(object(indexFields)),
  blocks: optional(list(object({ name: text(), weight: number({ above: 0 }), dim: count }))),
  popularity: optional(object({ scale: number({ above: 0 }) })),
  efSearch: optional(integer({ min: 1 })),
  recall: optional(number({ above: 0, max: 1 })),
};

const texts = record(text());

const madeFields: Fields = {
  dataset: text(),
  recipe: text(),
  files: texts,
  spaces: record(object({ made: texts, inputs: texts, files: texts })),
};

const manifestFields: Fields = {
  version: integer({ min: 1 }),
  generation: matching(/^gen-\d{6,}$/, 'the name of a generation'),
  name,
  title: text(),
  description: text(),
  createdAt: text(),
  buildSeconds: number({ min: 0 }),
  dataset: object({ name: text(), licence: text(), source: text() }),
  items: count,
  users: count,
  interactions: count,
  recallFloor: share,
  journal: optional(count),
  journalFolder: optional(matching(/^journal-[0-9a-f]{12}$/, 'the name of a journal')),
  fit: optional(matching(/^gen-\d{6,}$/, 'the name of a generation')),
  taste: tasteField,
  spaces: list(object(spaceFields)),
  leftOut: optional(list(object({ name: text(), embedding: text(), needs: text() }))),
  made: optional(object(madeFields)),
  tableBytes: optional(count),
  files: { optional: false, read: requireFiles },
};

/** @param path of the file, for messages @throws NighError FORMAT; fields that it does not know are left alone */
export function requireManifest(value: unknown, path: string): Manifest {
  try {
    object(manifestFields).read(value, '');
  } catch (cause) {
    if (!(cause instanceof NighError)) throw cause;
    throw new NighError('FORMAT', `${path}: ${cause.message}`, { cause });
  }
  return value as Manifest;
}

function object(fields: Fields): Field<unknown> {
  return {
    optional: false,
    read: (value, path) => {
      if (!isPlainObject(value)) throw wrong(path, 'an object', value);
      for (const [key, field] of Object.entries(fields)) {
        const given = Object.hasOwn(value, key) ? value[key] : undefined;
        if (given !== undefined || !field.optional) field.read(given, joinPath(path, key));
      }
      return value;
    },
  };
}

function list(entry: Field<unknown>): Field<unknown> {
  return {
    optional: false,
    read: (value, path) => {
      if (!Array.isArray(value)) throw wrong(path, 'an array', value);
      for (const [i, each] of value.entries()) entry.read(each, `${path}[${i}]`);
      return value;
    },
  };
}

/** An object whose keys may be anything. */
function record(entry: Field<unknown>): Field<unknown> {
  return {
    optional: false,
    read: (value, path) => {
      if (!isPlainObject(value)) throw wrong(path, 'an object', value);
      for (const [key, each] of Object.entries(value)) entry.read(each, joinPath(path, key));
      return value;
    },
  };
}

function matching(pattern: RegExp, expected: string): Field<unknown> {
  return {
    optional: false,
    read: (value, path) => {
      if (typeof value !== 'string' || !pattern.test(value)) throw wrong(path, expected, value);
      return value;
    },
  };
}

/** Names become paths below the generation. */
function requireFiles(value: unknown, path: string): unknown {
  if (!isPlainObject(value)) throw wrong(path, 'an object', value);
  for (const [file, stamp] of Object.entries(value)) {
    name.read(file, `${path}: a file`);
    object({ bytes: count, sha256: matching(/^[0-9a-f]{64}$/, 'a SHA-256') }).read(stamp, joinPath(path, file));
  }
  return value;
}

function wrong(path: string, expected: string, actual: unknown): NighError {
  return new NighError(
    'FORMAT',
    `${path === '' ? 'the manifest' : path}: expected ${expected}, got ${describe(actual)}.`,
  );
}
