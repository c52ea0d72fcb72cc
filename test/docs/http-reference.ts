/** docs/reference/http.md: the routes of the OpenAPI document that the service itself publishes. */
import { buildApp } from '../../src/service/index.js';
import { collectionDouble } from '../service/collection-double.js';
import { type GeneratedPage, page, table } from './pages.js';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }
    >
  >;
}
interface Document {
  readonly info: { readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export async function httpReference(): Promise<GeneratedPage> {
  const app = await buildApp({ collections: [collectionDouble()], writeToken: 'a-token-of-the-documentation' });
  try {
    const document: Document = (await app.inject('/openapi.json')).json();
    const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
    );
    const parts = [
      'A running service describes itself, too: `/openapi.json` is OpenAPI 3.1, `/docs` a page of it. [The guide](../service.md) shows requests and answers.',
      table(
        ['route', ''],
        routes.map(({ method, path, operation }) => [`\`${method.toUpperCase()} ${path}\``, operation.summary ?? '']),
      ),
      ...routes.flatMap(({ method, path, operation }) => section(method, path, operation)),
      '## Objects',
      ...Object.entries(document.components.schemas)
        .filter(([, schema]) => schema.properties !== undefined)
        .flatMap(([name, schema]) => [
          `### ${name}`,
          ...(schema.description === undefined ? [] : [schema.description]),
          fieldsOf(schema),
        ]),
    ];
    return page('http.md', 'The HTTP service', 'the OpenAPI document of the service', parts);
  } finally {
    await app.close();
  }
}

function section(method: string, path: string, operation: Operation): string[] {
  const { parameters = [], requestBody, responses } = operation;
  const parts = [`## ${method.toUpperCase()} ${path}`, operation.summary ?? ''];
  if (operation.description !== undefined) parts.push(operation.description);
  if (parameters.length > 0) {
    const rows = parameters.map(({ name, in: place, required, description, schema }) => [
      `\`${name}\``,
      `${place}${required === true ? ', required' : ''}`,
      typeOf(schema),
      description ?? schema.description ?? '',
    ]);
    parts.push(table(['parameter', 'in', 'values', ''], rows));
  }
  const body = requestBody?.content['application/json']?.schema;
  if (body !== undefined)
    parts.push(`The body: ${typeOf(body)}.`, ...(body.properties === undefined ? [] : [fieldsOf(body)]));
  const rows = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const schema = Object.values(content)[0]?.schema;
    return [status, description, schema === undefined ? '' : typeOf(schema)];
  });
  parts.push(table(['status', '', 'answer'], rows));
  return parts.filter((part) => part !== '');
}

function fieldsOf({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([name, schema]) => [
    `\`${name}\`${required.includes(name) ? '' : ' (optional)'}`,
    typeOf(schema),
    schema.description ?? '',
  ]);
  return table(['field', 'values', ''], rows);
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' or ');
  if (schema.type === 'array') return `array of ${typeOf(schema.items ?? {})}`;
  const type = typeof schema.type === 'string' ? schema.type : (schema.type ?? ['any']).join(' or ');
  const bounds = [
    schema.minimum === undefined ? '' : ` ≥ ${schema.minimum}`,
    schema.maximum === undefined ? '' : ` ≤ ${schema.maximum}`,
    schema.default === undefined ? '' : `, default \`${JSON.stringify(schema.default)}\``,
  ];
  return type + bounds.join('');
}
