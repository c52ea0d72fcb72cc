import { type Static, type TSchema, Type } from 'typebox';
import type { AttributeValue } from '../retrieval/types.js';

/** Every schema with a name. */
export const components: (TSchema & { $id: string })[] = [];

/** Gives a schema a name in the OpenAPI document; returns a reference to it that carries its type. */
export function component<Schema extends TSchema>(name: string, description: string, schema: Schema) {
  components.push({ ...schema, $id: name, title: name, description });
  return Type.Unsafe<Static<Schema>>(Type.Ref(`${name}#`));
}

export const count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description === undefined ? {} : { description }) });

export const attributes = Type.Unsafe<Record<string, AttributeValue>>({
  type: 'object',
  description: 'Attributes of the item: each text, a number, a boolean or a list of texts.',
  // Not spelled out as a union: the generated serialiser takes the first type that a value can be turned into.
  additionalProperties: true,
});
