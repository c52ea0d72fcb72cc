import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import { describe } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { InvalidRequest, type ParameterFault } from './problem.js';

/**
 * Checks requests against their routes' schemas, and says of every refused parameter what was expected and what came.
 *
 * The text of a path or query string is read as what its schema asks for; a JSON body is taken as it is, so that `"10"` is not
 * a number.
 */

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly enum?: readonly unknown[];
  readonly not?: { readonly const?: unknown };
  readonly anyOf?: readonly Schema[];
}

const places = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' } as const;

/** Fastify's `validatorCompiler`. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  const place = places[(httpPart ?? 'body') as keyof typeof places];
  const fromText = place !== 'body';
  return (data: unknown): { value: unknown } | { error: Error } => {
    const value = fromText ? readText(schema as Schema, data) : data;
    if (validator.Check(value)) return { value };
    return { error: refusal(schema as Schema, place, value, validator.Errors(value)) };
  };
};

/** A copy of the parameters in which text that spells the wanted type is that type. Other text stays, to be refused. */
function readText(schema: Schema, data: unknown): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(data ?? {})) {
    const type = schema.properties?.[name]?.type;
    read[name] = typeof text === 'string' && type !== undefined ? readValue(type, text) : text;
  }
  return read;
}

function readValue(type: string, text: string): unknown {
  if (type === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (type === 'number') return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
  if (type === 'boolean') {
    if (text === 'true' || text === '1') return true;
    if (text === 'false' || text === '0') return false;
  }
  return text;
}

function refusal(
  schema: Schema,
  place: ParameterFault['in'],
  value: unknown,
  errors: readonly TLocalizedValidationError[],
): InvalidRequest {
  const unknown = new Map<string, ParameterFault>();
  const invalid = new Map<string, ParameterFault>();
  const hints: string[] = [];
  for (const error of errors) {
    const path = error.instancePath.split('/').slice(1).map(unescapePointer);
    if (error.keyword === 'required') {
      for (const name of error.params.requiredProperties) addFault(invalid, schema, place, [...path, name], undefined);
    } else if (error.keyword === 'boolean') {
      // A key that has no schema but "never". The error of the object around it may be past the limit of errors.
      const name = path.at(-1) ?? '';
      const parameter = parameterName(path, place);
      const known = Object.keys(schemaAt(schema, path.slice(0, -1)).properties ?? {});
      unknown.set(parameter, { in: place, parameter, expected: `one of ${known.join(', ')}`, got: describe(name) });
      hints.push(unknownParameter(place, parameter, name, known));
    } else if (error.keyword !== 'additionalProperties') {
      addFault(invalid, schema, place, path, valueAt(value, path));
    }
  }
  if (hints.length > 0) {
    return new InvalidRequest('UNKNOWN_OPTION', hints.join(' '), [...unknown.values(), ...invalid.values()]);
  }
  const faults = [...invalid.values()];
  const message = faults
    .map(({ parameter, expected, got }) => `${parameter}: expected ${expected}, got ${got}.`)
    .join(' ');
  return new InvalidRequest('INVALID_ARGUMENT', message, faults);
}

function addFault(
  faults: Map<string, ParameterFault>,
  schema: Schema,
  place: ParameterFault['in'],
  path: readonly string[],
  value: unknown,
): void {
  const parameter = parameterName(path, place);
  const got = value === undefined ? 'nothing' : describe(value);
  faults.set(parameter, { in: place, parameter, expected: expectation(schemaAt(schema, path)), got });
}

function unknownParameter(
  place: ParameterFault['in'],
  parameter: string,
  name: string,
  known: readonly string[],
): string {
  const kind = place === 'query' ? 'query parameter' : 'key';
  const hint = didYouMean(name, known);
  const list = known.length === 0 ? ' There is none here.' : ` Known here: ${known.join(', ')}.`;
  return `Unknown ${kind} ${describe(parameter)}.${hint === '' ? list : hint}`;
}

/** `history[0].weight`, or the name of the whole. */
function parameterName(path: readonly string[], place: ParameterFault['in']): string {
  if (path.length === 0) return place;
  return path.map((step, at) => (/^\d+$/.test(step) ? `[${step}]` : at === 0 ? step : `.${step}`)).join('');
}

function schemaAt(schema: Schema, path: readonly string[]): Schema {
  return path.reduce<Schema>((at, step) => at.properties?.[step] ?? at.items ?? {}, schema);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, step)
        ? (at as Record<string, unknown>)[step]
        : undefined,
    value,
  );
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** What a schema asks for, in words. */
function expectation(schema: Schema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  if (schema.anyOf !== undefined) return schema.anyOf.map(expectation).join(' or ');
  switch (schema.type) {
    case 'integer':
      return `an integer${range(schema.minimum, schema.maximum)}`;
    case 'number':
      if (schema.exclusiveMinimum !== undefined) {
        return `a number above ${schema.exclusiveMinimum}${schema.maximum === undefined ? '' : ` and at most ${schema.maximum}`}`;
      }
      return `a number${range(schema.minimum, schema.maximum)}${schema.not === undefined ? '' : ` other than ${schema.not.const}`}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      if (schema.maxLength === undefined)
        return schema.minLength === undefined ? 'a string' : 'a string that is not empty';
      return `a string of ${schema.minLength ?? 0} to ${schema.maxLength} characters`;
    case 'array':
      return schema.maxItems === undefined
        ? 'an array'
        : `an array of ${schema.minItems ?? 0} to ${schema.maxItems} entries`;
    default:
      return 'a JSON object';
  }
}

function range(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  return minimum !== undefined ? ` of at least ${minimum}` : maximum !== undefined ? ` of at most ${maximum}` : '';
}
