import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp } from '../../src/service/index.js';
import { collectionDouble } from './collection-double.js';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { name: string; in: string; required?: boolean; description?: string }[];
  readonly responses: Readonly<Record<string, { description: string; content: Record<string, { schema: object }> }>>;
}

interface Document {
  readonly openapi: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const validator = new Validator();
let app: Awaited<ReturnType<typeof buildApp>>;
let document: Document;

beforeAll(async () => {
  app = await buildApp({ collections: [collectionDouble()] });
  document = (await app.inject('/openapi.json')).json();
});
afterAll(() => app.close());

/** `/v1/collections/:collection` of every route that the router has. */
function registeredRoutes(): string[] {
  const parents: string[] = [];
  const routes: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const match = /^([│ ]*)[├└]── (\S+) \(([A-Z, ]+)\)$/.exec(line);
    if (match === null) continue;
    const [, indent = '', segment = '', methods = ''] = match;
    const depth = indent.length / 4;
    parents.length = depth;
    parents.push(segment);
    const path = parents.join('').replace(/^\/\/?/, '/');
    for (const method of methods.split(', ')) if (method !== 'HEAD') routes.push(`${method} ${path}`);
  }
  return routes;
}

test('every route is in the document, but for pages and what Prometheus reads', () => {
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  const questions = registeredRoutes().filter((route) => !/^GET \/(docs|explorer|metrics|$)/.test(route));
  expect(documented.toSorted()).toEqual(questions.toSorted());
  expect(documented).toContain('GET /v1/collections/:collection/items/:item/similar');
  expect(documented).toContain('POST /v1/collections/:collection/query');
  expect(documented).toContain('POST /v1/collections/:collection/reload');
  expect(documented).toContain('PUT /v1/collections/:collection/items/:item');
  expect(documented).toHaveLength(20);
});

test('it is OpenAPI 3.1 with what the specification requires', () => {
  expect(document.openapi).toMatch(/^3\.1\.\d$/);
  expect(document.info).toMatchObject({ title: 'nigh', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  const ids = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const operation of Object.values(operations)) {
      expect(operation.summary).toBeTruthy();
      ids.add(operation.operationId);
      const parameters = operation.parameters ?? [];
      expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath);
      for (const parameter of parameters) {
        expect(parameter.description, `${path} ${parameter.name}`).toBeTruthy();
        if (parameter.in === 'path') expect(parameter.required).toBe(true);
      }
      expect(Object.keys(operation.responses)).toEqual(['200', '4XX', '5XX']);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(response.description).not.toBe('Default Response');
        if (status === '200' && path.endsWith('/image')) {
          expect(Object.keys(response.content)).toContain('image/svg+xml');
          continue;
        }
        expect(Object.keys(response.content)).toEqual([
          expect.stringMatching(/json$/),
          expect.stringMatching(/msgpack$/),
        ]);
      }
      expect(operation.responses['4XX']?.content['application/problem+json']?.schema).toEqual({
        $ref: '#/components/schemas/Problem',
      });
    }
  }
  expect(ids.size).toBe(Object.values(document.paths).flatMap((operations) => Object.keys(operations)).length);
});

test('a validator of the specification finds nothing wrong with it, with a token and without', async () => {
  const guarded = await buildApp({ collections: [collectionDouble()], token: 'may-read', writeToken: 'may-write' });
  for (const checked of [document, (await guarded.inject('/openapi.json')).json<Document>()]) {
    expect(await validator.validate(structuredClone<object>(checked) as Record<string, unknown>)).toMatchObject({
      valid: true,
    });
    expect(validator.version).toBe('3.1');
  }
  await guarded.close();
});

test('that validator sees what is wrong', async () => {
  const damages: readonly ((copy: {
    info: object;
    paths: Record<string, { get: Record<string, unknown> }>;
  }) => void)[] = [
    (copy) => Object.assign(copy, { info: {} }),
    (copy) => Object.assign(copy.paths['/healthz']!.get, { parameters: [{ name: 'k' }] }),
    (copy) => Object.assign(copy.paths['/healthz']!.get, { responses: { '2000': { description: 'x' } } }),
    (copy) => Object.assign(copy.paths, { healthz: {} }),
  ];
  for (const damage of damages) {
    const copy = structuredClone(document) as unknown as Parameters<typeof damage>[0];
    damage(copy);
    expect((await validator.validate(copy)).valid, String(damage)).toBe(false);
  }
});

test('every reference in it leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
  expect(references.length).toBeGreaterThan(10);
  for (const reference of references) {
    expect(document.components.schemas).toHaveProperty(String(reference).replace('#/components/schemas/', ''));
  }
});

test('the documentation page shows this document', async () => {
  expect((await app.inject('/docs')).body).toContain('swagger-ui');
  expect((await app.inject('/docs/json')).json()).toEqual(document);
});
