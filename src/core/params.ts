/**
 * Options objects, read completely: every known key is checked and defaulted, every unknown one refused with the nearest known
 * name. A schema is a plain object of fields, and its type is the type of what is read.
 */
import { describe, invalidArgument, NighError } from './errors.js';
import { didYouMean } from './nearest-name.js';

/** One key of an options object. */
export interface Field<T> {
  /** The checked value. @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION naming `path` */
  readonly read: (value: unknown, path: string) => T;
  /** Whether the key may be left out. */
  readonly optional: boolean;
  /** What stands for a key that was left out. */
  readonly fallback?: T;
  /** What editors are told of the value, as JSON Schema; absent where that cannot say it. */
  readonly json?: JsonSchema;
}

/** A part of a JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export type Schema = Readonly<Record<string, Field<unknown>>>;

/** What `readParams` makes of a schema. */
export type ParamsOf<S extends Schema> = { readonly [Key in keyof S]: S[Key] extends Field<infer T> ? T : never };

/** `a.b`, or `b` at the top. */
export function joinPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Whether a value is an object of keys and values, rather than an array, a typed array or null. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** What a schema says of an options object, as JSON Schema: its keys, and no others. */
export function toJsonSchema(schema: Schema): JsonSchema {
  const fields = Object.entries(schema);
  const required = fields.filter(([, field]) => !field.optional).map(([key]) => key);
  return {
    type: 'object',
    properties: Object.fromEntries(
      fields.map(([key, { json = {}, fallback }]) => [
        key,
        fallback === undefined || typeof fallback === 'object' ? json : { ...json, default: fallback },
      ]),
    ),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/**
 * Reads an options object by its schema. A key whose value is undefined counts as left out.
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION with the path of the key
 */
export function readParams<S extends Schema>(schema: S, value: unknown, path: string): ParamsOf<S> {
  if (!isPlainObject(value)) throw invalidArgument(path === '' ? 'options' : path, 'an object', value);
  // Read at every question: the names are listed where one is refused only.
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(schema, key)) refuseUnknownKeys(value, Object.keys(schema), path);
  }
  const result: Record<string, unknown> = {};
  for (const key in schema) {
    const field = schema[key]!;
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    result[key] = given === undefined && field.optional ? field.fallback : field.read(given, joinPath(path, key));
  }
  return result as ParamsOf<S>;
}

/** @throws NighError UNKNOWN_OPTION for the first key that is not among the known ones */
export function refuseUnknownKeys(
  value: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: string,
): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const hint = didYouMean(key, known) || ` Known here: ${known.join(', ')}.`;
    throw new NighError('UNKNOWN_OPTION', `${joinPath(path, key)}: there is no such option.${hint}`);
  }
}

interface Range {
  /** Smallest value that is allowed. */
  readonly min?: number;
  /** Largest value that is allowed. */
  readonly max?: number;
  /** A bound that is not allowed itself. */
  readonly above?: number;
}

/** A finite number in a range. */
export function number(range: Range & { readonly default?: number } = {}): Field<number> {
  const read = (value: unknown, path: string) => {
    if (typeof value !== 'number' || !Number.isFinite(value) || !inRange(value, range)) {
      throw invalidArgument(path, `a number${rangeText(range)}`, value);
    }
    return value;
  };
  return withDefault(read, range.default, { type: 'number', ...rangeJson(range) });
}

/** A whole number in a range, exact in a double. */
export function integer(range: Range & { readonly default?: number } = {}): Field<number> {
  const read = (value: unknown, path: string) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || !inRange(value, range)) {
      throw invalidArgument(path, `an integer${rangeText(range)}`, value);
    }
    return value;
  };
  return withDefault(read, range.default, { type: 'integer', ...rangeJson(range) });
}

export function flag(options: { readonly default?: boolean } = {}): Field<boolean> {
  const read = (value: unknown, path: string) => {
    if (typeof value !== 'boolean') throw invalidArgument(path, 'true or false', value);
    return value;
  };
  return withDefault(read, options.default, { type: 'boolean' });
}

export function text(options: { readonly default?: string } = {}): Field<string> {
  const read = (value: unknown, path: string) => {
    if (typeof value !== 'string') throw invalidArgument(path, 'a string', value);
    return value;
  };
  return withDefault(read, options.default, { type: 'string' });
}

/** One of a few names; a near miss is named. */
export function choice<const Name extends string>(
  names: readonly Name[],
  options: { readonly default?: NoInfer<Name> } = {},
): Field<Name> {
  const read = (value: unknown, path: string) => {
    const found = names.find((name) => name === value);
    if (found !== undefined) return found;
    const hint = typeof value === 'string' ? didYouMean(value, names) : '';
    const expected = names.map((name) => JSON.stringify(name)).join(', ');
    throw new NighError('INVALID_ARGUMENT', `${path}: expected one of ${expected}, got ${describe(value)}.${hint}`);
  };
  return withDefault(read, options.default, { enum: [...names] });
}

/** A value that a guard recognises: an AbortSignal, a function, … */
export function checked<T>(expected: string, fits: (value: unknown) => value is T): Field<T> {
  return {
    optional: false,
    read: (value, path) => {
      if (!fits(value)) throw invalidArgument(path, expected, value);
      return value;
    },
  };
}

/** A field that may be left out and then is undefined. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return { read: field.read, optional: true, ...(field.json === undefined ? {} : { json: field.json }) };
}

function withDefault<T>(read: Field<T>['read'], fallback: T | undefined, json: JsonSchema): Field<T> {
  return fallback === undefined ? { read, optional: false, json } : { read, optional: true, fallback, json };
}

function rangeJson({ min, max, above }: Range): JsonSchema {
  return {
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
    ...(above === undefined ? {} : { exclusiveMinimum: above }),
  };
}

function inRange(value: number, { min, max, above }: Range): boolean {
  return (
    (min === undefined || value >= min) && (max === undefined || value <= max) && (above === undefined || value > above)
  );
}

function rangeText({ min, max, above }: Range): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (above !== undefined) return max === undefined ? ` above ${above}` : ` above ${above}, at most ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}
