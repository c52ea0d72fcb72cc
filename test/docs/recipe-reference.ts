/** docs/reference/recipe.md: the keys of a recipe from its JSON Schema, what they mean from the comments beside the fields that read them. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { filesBelow } from '../../src/setup/fingerprint.mjs';
import { repository } from '../cli/nigh-command.js';
import { type GeneratedPage, page, table } from './pages.js';

/** As much of JSON Schema as the recipe's uses. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

interface RecipeSchema extends Schema {
  readonly properties: Readonly<Record<string, Schema>> & {
    readonly spaces: {
      readonly additionalProperties: { readonly allOf: readonly { readonly then: Schema }[] };
    };
  };
}

/** Said here, because nothing reads the field by itself. */
const ownWords: Readonly<Record<string, string>> = {
  dataset: 'Where the data comes from; see below.',
  spaces: 'The spaces by name, at least one; see below. The first that can answer a question does.',
  $schema: 'Where an editor finds the schema.',
  taste: 'How a user’s past becomes a taste in spaces without user vectors.',
  seed: 'Of what is random: the same seed gives the same bytes, on any number of threads.',
};

export function recipeReference(): GeneratedPage {
  const schema: RecipeSchema = JSON.parse(readFileSync(join(repository, 'indexes/recipe.schema.json'), 'utf8'));
  const embeddings = schema.properties.spaces.additionalProperties.allOf.map((entry) => entry.then);
  const recipe = meanings(join(repository, 'src/retrieval/recipe.ts'));
  const parts = [
    'A recipe is a JSON file that says what a collection is built from. Unknown keys are refused, and the nearest known one is named. In an editor,\n' +
      '[`indexes/recipe.schema.json`](../../indexes/recipe.schema.json) completes them. [Getting started](../getting-started.md) writes one.',
    '## The recipe',
    keysOf(schema, (key) => recipe.get(key) ?? ownWords[key]),
    '## `dataset`',
    'Which keys a source takes is told with it: [tables of your own](../getting-started.md) (`csv`, `jsonl`, `parquet`), ' +
      '[downloaded ones](../embeddings.md) (`movielens`, `openmoji`, `npm-dependents`, …).',
    keysOf(schema.properties.dataset ?? {}, (key) => sourceWords[key]),
    '## A space',
    'Every space has `embedding`, and may have `optional` (leave it out rather than download something for it) and `index`.',
    '### `index`',
    ...indexKinds(embeddings[0]?.properties?.index ?? {}, recipe),
    ...[...embeddings].sort(byName).flatMap(embeddingSection),
  ];
  return page('recipe.md', 'Recipes', '`indexes/recipe.schema.json` and the comments beside the fields', parts);
}

const sourceWords: Readonly<Record<string, string>> = {
  source: 'What reads it.',
  filter: 'Which interactions count: by value, time, number of a user’s or an item’s.',
  join: 'A second dataset whose columns are joined to the items.',
};

function indexKinds(index: Schema, known: ReadonlyMap<string, string>): string[] {
  return (index.oneOf ?? []).flatMap((kind) => {
    const name = String(kind.properties?.kind?.const);
    const { kind: _, ...properties } = kind.properties ?? {};
    const heading = `\`"kind": "${name}"\`${name === 'hnsw' ? ', the default' : ''}`;
    const none = Object.keys(properties).length === 0;
    return [
      none ? `${heading}: exact, no further keys.` : `${heading}:`,
      ...(none ? [] : [keysOf({ properties }, (key) => known.get(key))]),
    ];
  });
}

const nameOf = (schema: Schema) => String(schema.properties?.embedding?.const);
const byName = (a: Schema, b: Schema) => (nameOf(a) < nameOf(b) ? -1 : 1);

function embeddingSection(schema: Schema): string[] {
  const name = nameOf(schema);
  const file = sourceOf(name);
  const { embedding: _, optional: __, index: ___, ...properties } = schema.properties ?? {};
  const known = meanings(file);
  return [
    `### \`"embedding": "${name}"\``,
    summary(file),
    keysOf({ ...schema, properties }, (key) => known.get(key) ?? ownWords[key]),
  ];
}

function keysOf(schema: Schema, meaning: (key: string) => string | undefined): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => [
    `\`${key}\``,
    typeOf(value),
    value.default === undefined
      ? schema.required?.includes(key)
        ? 'required'
        : ''
      : `\`${JSON.stringify(value.default)}\``,
    meaning(key) ?? '',
  ]);
  return table(['key', 'values', 'default', ''], rows);
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return choices.map(typeOf).join(' or ');
  if (schema.type === 'array') return schema.items === undefined ? 'array' : `array of ${typeOf(schema.items)}`;
  if (schema.type === 'object' && schema.properties !== undefined)
    return `object: ${Object.keys(schema.properties)
      .map((key) => `\`${key}\``)
      .join(', ')}`;
  return `${schema.type ?? 'see the text'}${rangeOf(schema)}`;
}

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const bounds = [
    minimum === undefined ? '' : `≥ ${minimum}`,
    exclusiveMinimum === undefined ? '' : `> ${exclusiveMinimum}`,
    maximum === undefined ? '' : `≤ ${Number(maximum.toPrecision(12))}`,
    exclusiveMaximum === undefined ? '' : `< ${exclusiveMaximum}`,
  ].filter((bound) => bound !== '');
  return bounds.length === 0 ? '' : ` ${bounds.join(', ')}`;
}

const embeddingFiles = filesBelow(join(repository, 'src/embeddings'), (path) => path.endsWith('.ts'));

/** The file that defines an embedding. */
function sourceOf(name: string): string {
  const file = embeddingFiles.find((path) =>
    new RegExp(`: Embedding(<\\w+>)? = [^;]*?\\n\\s+name: '${name}',`).test(readFileSync(path, 'utf8')),
  );
  if (file === undefined) throw new Error(`No file of src/embeddings defines ${name}.`);
  return file;
}

/** The first paragraph of a file's comment: what the embedding is. */
function summary(file: string): string {
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  const [first = ''] = plain(comment).split('\n\n');
  const text = first.replace(/^The embedding `[\w-]+`: /, '').replace(/\s*\n\s*/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Key → the comment before it, in a file and then in what it imports: fields that several embeddings share. */
function meanings(file: string): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Set<string>();
  let files = [file];
  while (files.length > 0) {
    const next: string[] = [];
    for (const path of files.filter((each) => !seen.has(each) && existsSync(each))) {
      seen.add(path);
      const text = readFileSync(path, 'utf8');
      for (const [, comment = '', key = ''] of text.matchAll(
        /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+'?(\$?\w+)'?: (?=\w)/g,
      )) {
        if (!found.has(key)) found.set(key, plain(comment).replace(/\s+/g, ' '));
      }
      for (const [, specifier = ''] of text.matchAll(/from '(\.{1,2}\/[^']+)\.js'/g)) {
        next.push(`${resolve(dirname(path), specifier)}.ts`);
      }
    }
    files = next;
  }
  return found;
}

const plain = (comment: string) => comment.replace(/^\s*\* ?/gm, '').trim();
