/** Pictures: kept by a build, shown by the service, found again in another generation. */
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { buildApp } from '../../src/service/index.js';

const svg = (colour: string) =>
  `<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="4" fill="${colour}"/><script>alert(1)</script></svg>`;
// The smallest of its kind.
const gif = Buffer.from('R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==', 'base64');

let directory: string;
let colours: Retriever;
let app: Awaited<ReturnType<typeof buildApp>>;

async function build(pictures: boolean): Promise<string> {
  const recipe = {
    name: 'colours',
    dataset: {
      source: 'jsonl',
      items: { path: 'items.jsonl', id: 'id', title: 'title', picture: 'file' },
      origin: { name: 'colours', licence: 'public domain', source: 'made here' },
    },
    spaces: { text: { embedding: 'tfidf', fields: { title: 1 }, dim: 4 } },
    ...(pictures ? { pictures } : {}),
  };
  const target = join(directory, 'colours');
  await buildCollection(parseRecipe(JSON.stringify(recipe), directory), target);
  return target;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-pictures-'));
  await mkdir(join(directory, 'files'));
  const files: Record<string, string | Buffer> = {
    'red.svg': svg('red'),
    'blue.svg': svg('blue'),
    'dot.gif': gif,
    'text.txt': 'no picture at all',
    'huge.svg': `<svg xmlns="http://www.w3.org/2000/svg">${' '.repeat(1 << 20)}</svg>`,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, 'files', name), content);
  const items = [
    { id: 'red', title: 'red circle', file: 'files/red.svg' },
    { id: 'none', title: 'red nothing', file: '' },
    { id: 'a/blue', title: 'blue circle', file: 'files/blue.svg' },
    { id: 'dot', title: 'blue dot', file: 'files/dot.gif' },
    { id: 'text', title: 'green text', file: 'files/text.txt' },
    { id: 'huge', title: 'green circle', file: 'files/huge.svg' },
    { id: 'missing', title: 'green dot', file: 'files/missing.png' },
  ];
  await writeFile(join(directory, 'items.jsonl'), items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  colours = await Retriever.open(await build(true));
  app = await buildApp({ collections: [colours] });
});
afterAll(async () => {
  await app?.close();
  await colours?.close();
  await rm(directory, { recursive: true, force: true });
});

const image = (id: string) => `/v1/collections/colours/items/${encodeURIComponent(id)}/image`;

describe('the library', () => {
  test('has the bytes of what could be read, and says of every item whether it has one', async () => {
    expect(await colours.picture('red')).toEqual({
      type: 'image/svg+xml',
      bytes: new Uint8Array(Buffer.from(svg('red'))),
    });
    expect(await colours.picture('a/blue')).toMatchObject({ bytes: new Uint8Array(Buffer.from(svg('blue'))) });
    expect(await colours.picture('dot')).toEqual({ type: 'image/gif', bytes: new Uint8Array(gif) });
    expect(colours.info.pictures).toBe(3);
    for (const id of ['none', 'text', 'huge', 'missing']) {
      expect(await colours.picture(id)).toBeUndefined();
      expect(colours.item(id).picture).toBeUndefined();
    }
    expect(colours.item('red').picture).toBe(true);
    const { results } = await colours.similarItems('red', { k: 10 });
    for (const { id, picture } of results) expect(picture === true).toBe(['a/blue', 'dot'].includes(id));
    await expect(colours.picture('green')).rejects.toMatchObject({ code: 'UNKNOWN_ITEM' });
  });

  test('keeps none where the recipe does not ask for them, and has them again later', async () => {
    const target = await build(false);
    await using without = await Retriever.open(target);
    expect(without.info.pictures).toBeUndefined();
    expect(await without.picture('red')).toBeUndefined();
    expect(without.item('red').picture).toBeUndefined();
    // The one that was opened before still reads its own, whose generation a further build removes.
    await build(true);
    await build(true);
    expect(await colours.picture('red')).toMatchObject({ type: 'image/svg+xml' });
  });

  test('refuses a dataset without pictures, and files that are not what was written', async () => {
    const recipe = {
      name: 'plain',
      dataset: { source: 'jsonl', items: { path: 'items.jsonl', id: 'id', title: 'title' } },
      spaces: { text: { embedding: 'tfidf', fields: { title: 1 }, dim: 4 } },
      pictures: true,
    };
    const plain = parseRecipe(JSON.stringify(recipe), directory);
    await expect(buildCollection(plain, join(directory, 'plain'))).rejects.toMatchObject({ code: 'INVALID_RECIPE' });

    const target = await build(true);
    const live = (await readFile(join(target, 'CURRENT'), 'utf8')).trim();
    const path = join(target, live, 'pictures.bin');
    const whole = await readFile(path);
    const file = await open(path, 'r+');
    await file.write(Buffer.from([whole[40]! ^ 1]), 0, 1, 40);
    await expect(Retriever.open(target)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    await file.truncate(whole.length - 1);
    await expect(Retriever.open(target)).rejects.toMatchObject({ code: 'TRUNCATED' });
    await file.close();
  });
});

describe('the route', () => {
  test('gives the bytes with their type, under a policy by which an SVG can do nothing', async () => {
    const response = await app.inject(image('red'));
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('image/svg+xml');
    expect(response.body).toBe(svg('red'));
    expect(response.headers['content-security-policy']).toBe("default-src 'none'; style-src 'unsafe-inline'; sandbox");
    expect(response.headers['x-content-type-options']).toBe('nosniff');
    expect((await app.inject(image('a/blue'))).body).toBe(svg('blue'));
    expect((await app.inject(image('dot'))).rawPayload).toEqual(gif);
  });

  test('knows what the caller has, and gives bytes also to those who read MessagePack', async () => {
    const { headers } = await app.inject(image('dot'));
    const again = await app.inject({ url: image('dot'), headers: { 'if-none-match': String(headers.etag) } });
    expect(again.statusCode).toBe(304);
    const packed = await app.inject({ url: image('dot'), headers: { accept: 'application/msgpack' } });
    expect(packed.headers['content-type']).toBe('image/gif');
    expect(packed.rawPayload).toEqual(gif);
  });

  test('says what there is not', async () => {
    expect((await app.inject(image('none'))).json()).toMatchObject({ status: 404, code: 'NO_PICTURE' });
    expect((await app.inject(image('green'))).json()).toMatchObject({ status: 404, code: 'UNKNOWN_ITEM' });
  });
});
