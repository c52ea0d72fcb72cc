/**
 * The examples of the OpenAPI document, each sent as it stands: whoever copies one gets the documented success, in both forms, and nothing in it
 * that is not documented.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Compile } from 'typebox/schema';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { buildApp } from '../../src/service/index.js';
import { packMessage, unpackMessage } from '../../src/service/wire-format.js';

interface Exemplified {
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Parameter extends Exemplified {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Exemplified>> };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { schema?: object }>> }>>;
}

interface Document {
  readonly paths: Record<string, Record<Method, Operation>>;
  readonly components: object;
}

/** Removals last: what they remove is asked for before. */
const methods = ['get', 'post', 'put', 'delete'] as const;
const forms = ['application/json', 'application/msgpack'] as const;
type Method = (typeof methods)[number];
type Form = (typeof forms)[number];

const token = 'may-write';
let directory: string;
let movies: Retriever;
let app: Awaited<ReturnType<typeof buildApp>>;
let operations: { path: string; method: Method; operation: Operation }[];
let components: object;

/** A world of sixty movies in which there is what the examples name. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-examples-'));
  const genres = ['Comedy', 'Crime', 'Horror'];
  const items = Array.from({ length: 60 }, (_, n) => ({
    id: String(n + 1),
    title: `${['Toy', 'Heist', 'Ghost'][n % 3]} Story ${n + 1}`,
    genres: [genres[n % 3]],
    year: 1970 + n,
    poster: 'poster.svg',
  }));
  const interactions = Array.from({ length: 50 }, (_, user) =>
    items
      .filter((_item, n) => n % 3 === user % 3 && (n + user) % 4 > 0)
      .map(({ id }) => ({ user: `${user}`, item: id })),
  ).flat();
  const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
  await writeFile(join(directory, 'items.jsonl'), lines(items));
  await writeFile(join(directory, 'interactions.jsonl'), lines(interactions));
  await writeFile(join(directory, 'poster.svg'), '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="3"/>');
  const recipe = {
    name: 'movies',
    dataset: {
      source: 'jsonl',
      items: {
        path: 'items.jsonl',
        id: 'id',
        title: 'title',
        picture: 'poster',
        columns: { genres: { type: 'tags' }, year: { type: 'number' } },
      },
      interactions: { path: 'interactions.jsonl', user: 'user', item: 'item' },
      origin: { name: 'sixty movies', licence: 'public domain', source: 'made here' },
    },
    spaces: {
      cf: { embedding: 'als', factors: 8 },
      text: { embedding: 'tfidf', fields: { title: 2, genres: 1 }, dim: 8 },
    },
    pictures: true,
  };
  const target = join(directory, 'movies');
  await buildCollection(parseRecipe(JSON.stringify(recipe), directory), target);
  movies = await Retriever.open(target, { write: true });
  app = await buildApp({ collections: [movies], writeToken: token });
  const document = (await app.inject('/openapi.json')).json() as Document;
  const { paths } = document;
  components = closed(document.components) as object;
  operations = methods.flatMap((method) =>
    Object.entries(paths).flatMap(([path, byMethod]) =>
      byMethod[method] === undefined ? [] : [{ path, method, operation: byMethod[method] }],
    ),
  );
});
afterAll(async () => {
  await app?.close();
  await movies?.close();
  await rm(directory, { recursive: true, force: true });
});

function examplesOf({ example, examples = {} }: Exemplified): unknown[] {
  return example === undefined ? Object.values(examples).map(({ value }) => value) : [example];
}

interface Sent {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/** An operation's requests: each body, and each parameter that may be left out, by itself. */
function requestsOf(path: string, { parameters = [], requestBody }: Operation, form: Form): Sent[] {
  const inPath = new Map(
    parameters.filter((each) => each.in === 'path').map((each) => [each.name, examplesOf(each)[0]]),
  );
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(inPath.get(name))));
  const bodies = requestBody === undefined ? [undefined] : examplesOf(requestBody.content[form] ?? {});
  const [first] = bodies;
  const singles = parameters
    .filter((parameter) => parameter.in !== 'path')
    .flatMap((parameter) => examplesOf(parameter).map((value) => ({ ...parameter, value: String(value) })))
    .map(({ in: place, name, value }) =>
      place === 'header'
        ? { url, headers: { [name]: value }, body: first }
        : { url: `${url}?${new URLSearchParams({ [name]: value })}`, headers: {}, body: first },
    );
  return [...bodies.map((body) => ({ url, headers: {}, body })), ...singles];
}

function send(method: Method, { url, headers, body }: Sent, form: Form) {
  const packed = form === 'application/json' ? JSON.stringify(body) : Buffer.from(packMessage(body));
  return app.inject({
    method: method.toUpperCase() as Uppercase<Method>,
    url,
    headers: {
      accept: form,
      authorization: `Bearer ${token}`,
      ...headers,
      ...(body === undefined ? {} : { 'content-type': form }),
    },
    ...(body === undefined ? {} : { payload: packed }),
  });
}

test('every parameter and every body has an example', () => {
  expect(operations).toHaveLength(20);
  for (const { operation } of operations) {
    for (const parameter of operation.parameters ?? []) {
      expect(examplesOf(parameter), `${operation.operationId}: ${parameter.name}`).not.toEqual([]);
    }
    for (const form of operation.requestBody === undefined ? [] : forms) {
      expect(examplesOf(operation.requestBody?.content[form] ?? {}), operation.operationId).not.toEqual([]);
    }
  }
});

test('every example is answered with the documented success, as its schema says, in both forms', async () => {
  const failures: string[] = [];
  const faultsOf = new Map<object, (answer: unknown) => string[]>();
  let sent = 0;
  for (const { path, method, operation } of operations) {
    const success = operation.responses[200]?.content ?? {};
    for (const form of forms) {
      for (const request of requestsOf(path, operation, form)) {
        const response = await send(method, request, form);
        const type = String(response.headers['content-type']).split(';', 1)[0] ?? '';
        const inForm = type === form || form in success === false;
        const what = `${operation.operationId} ${request.url} ${form}`;
        sent += 1;
        if (response.statusCode !== 200 || !(type in success) || !inForm) {
          failures.push(`${what}: ${response.statusCode} ${response.body}`);
          continue;
        }
        if (!forms.includes(type as Form)) continue;
        const answer = read(response.rawPayload, type);
        if (hasProblem(answer)) failures.push(`${what}: ${JSON.stringify(answer)}`);
        const schema = success[type]?.schema ?? {};
        const faults = faultsOf.get(schema) ?? checkOf(schema);
        faultsOf.set(schema, faults);
        failures.push(...faults(answer).map((fault) => `${what}: ${fault}`));
      }
    }
  }
  expect(failures).toEqual([]);
  expect(sent).toBeGreaterThan(100);
});

function read(payload: Buffer, type: string): unknown {
  return type === 'application/json' ? JSON.parse(payload.toString()) : unpackMessage(payload);
}

/** Whether one of many questions went wrong, which is told in a success. */
function hasProblem(answer: unknown): boolean {
  return ((answer as { answers?: object[] }).answers ?? []).some((each) => 'problem' in each);
}

/** Tells where an answer is not what its schema says. */
function checkOf(schema: object): (answer: unknown) => string[] {
  const compiled = Compile({ ...(closed(schema) as object), components });
  return (answer) => {
    const [fits, errors] = compiled.Errors(answer);
    return fits ? [] : errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

/** The same schema, by which an object holds nothing but its documented keys. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in inner && !('additionalProperties' in inner)
    ? { ...inner, additionalProperties: false }
    : inner;
}

test('an answer that lacks something, has another type or more than is documented is told from one that fits', async () => {
  const { operation } = operations.find(({ operation: { operationId } }) => operationId === 'getItem') ?? {};
  const faults = checkOf(operation?.responses[200]?.content['application/json']?.schema ?? {});
  const item = (await app.inject('/v1/collections/movies/items/60')).json() as Record<string, unknown>;
  expect(faults(item)).toEqual([]);
  const { title, ...untitled } = item;
  expect(faults(untitled)).not.toEqual([]);
  expect(faults({ ...item, title: [title] })).not.toEqual([]);
  expect(faults({ ...item, secret: 1 })).not.toEqual([]);
});
