/** Recipes as JSON Schema, made of what reads them: for the completion of editors (`"$schema"`), not for reading recipes. */
import { type JsonSchema, type Schema, toJsonSchema } from '../core/params.js';
import { sourceNames } from '../data/sources/registry.js';
import { embeddingNames, findEmbedding } from '../embeddings/registry.js';
import { headSchema, indexSchemas } from './recipe.js';

/** Where it is published: beside the package's own recipes. */
export const recipeSchemaFile = 'indexes/recipe.schema.json';

/**
 * The schema of a recipe, draft 7, which every editor knows. What it cannot say (that files exist, that a space uses another) is said when the
 * recipe is read.
 */
export function recipeSchema(): JsonSchema {
  const head = toJsonSchema(headSchema);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A recipe of nigh: what a collection is built from',
    ...head,
    properties: {
      ...(head.properties as JsonSchema),
      taste: { type: 'object' },
      dataset: {
        type: 'object',
        properties: { source: { enum: sourceNames() }, filter: { type: 'object' }, join: {} },
        required: ['source'],
      },
      spaces: { type: 'object', minProperties: 1, additionalProperties: spaceSchema() },
    },
  };
}

function spaceSchema(): JsonSchema {
  const names = embeddingNames();
  return {
    type: 'object',
    properties: { embedding: { enum: names } },
    required: ['embedding'],
    allOf: names.map((name) => ({
      if: { properties: { embedding: { const: name } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: parametersSchema(name),
    })),
  };
}

function parametersSchema(name: string): JsonSchema {
  const { keys, schema } = findEmbedding(name, 'embedding');
  const parameters = toJsonSchema(schema ?? (Object.fromEntries(keys.map((key) => [key, anything])) as Schema));
  const common = { embedding: { const: name }, optional: { type: 'boolean', default: false }, index: indexSchema() };
  return { ...parameters, properties: { ...common, ...(parameters.properties as JsonSchema) } };
}

const anything = { optional: true, read: (value: unknown) => value };

/** One form for every kind; that without a kind is hnsw. */
function indexSchema(): JsonSchema {
  return {
    oneOf: Object.entries(indexSchemas).map(([kind, schema]) => {
      const { kind: _, ...fields } = schema as Schema;
      const { properties, ...rest } = toJsonSchema(fields);
      const required = kind === 'hnsw' ? {} : { required: ['kind'] };
      return { ...rest, properties: { kind: { const: kind }, ...(properties as JsonSchema) }, ...required };
    }),
  };
}
