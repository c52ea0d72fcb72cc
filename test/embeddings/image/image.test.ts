import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { NighError } from '../../../src/core/errors.js';
import { row } from '../../../src/core/matrix.js';
import type { Dataset } from '../../../src/data/dataset.js';
import { image } from '../../../src/embeddings/image/image.js';
import { nighError } from '../../data/support/expect-error.js';
import { temporaryDirectory } from '../../data/support/temporary-directory.js';
import { classifierModel, type ElementName, identityModel, model, valueInfo } from '../onnx/tiny-models.js';
import { dot } from '../support.js';
import { datasetOfPictures, plain, scene } from './pictures.js';

/** A card for `identityModel` and `classifierModel`: bytes as they are. */
const card = { input: { channels: 'rgb', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } };

async function world(files: Record<string, string | Uint8Array> = {}) {
  const directory = await temporaryDirectory(files);
  const context = { baseDirectory: directory, environment: { NIGH_CACHE: join(directory, 'cache') }, threads: 1 };
  const embedAll = (dataset: Dataset, params: Record<string, unknown> = {}) =>
    image.fit(dataset, image.parse(params, ''), context);
  return { directory, context, embedAll };
}

const red = await plain('#f00').png().toBuffer();
const blue = await plain('#00f').png().toBuffer();
const sunny = await scene(200, 150).png().toBuffer();

describe('the embedding image', () => {
  it('gives items with a picture unit vectors, the same picture the same one, and lists what cannot be read', async () => {
    const { embedAll } = await world();
    const missing = new NighError('NOT_FOUND', 'b.png: there is no such file.');
    const { items, notes } = await embedAll(
      datasetOfPictures([sunny, undefined, red, Buffer.from('no picture'), sunny, missing, blue]),
    );
    expect([...items.ordinals]).toEqual([0, 2, 4, 6]);
    for (let r = 0; r < 4; r++) expect(dot(row(items.matrix, r), row(items.matrix, r))).toBeCloseTo(1, 5);
    expect(dot(row(items.matrix, 0), row(items.matrix, 2))).toBeCloseTo(1, 5);
    expect(dot(row(items.matrix, 1), row(items.matrix, 3))).toBeLessThan(0.9);
    expect(notes).toMatchObject({ model: 'color-edges', embedded: 4, fromCache: 0, withoutPicture: 1, unreadable: 2 });
    expect(notes.unreadablePictures).toMatch(
      /^"i3": The picture cannot be read: .*; "i5": b\.png: there is no such file\.$/,
    );
  });

  it('embeds with a model of one’s own exactly what its pixels say', async () => {
    const { embedAll } = await world({ 'm/own.onnx': classifierModel(4, 4), 'm/own.json': JSON.stringify(card) });
    const { items } = await embedAll(datasetOfPictures([red, blue]), { model: 'm/own.onnx' });
    // Doubled means × weights: red gives [510, 0], blue [510, 510].
    expect([...items.matrix.data]).toEqual([1, 0, ...new Array(2).fill(Math.fround(Math.SQRT1_2))]);
  });

  it('pools an inner tensor that the card names', async () => {
    const inner = { ...card, output: { tensor: 'doubled', pool: 'mean' } };
    const { embedAll } = await world({ 'own.onnx': classifierModel(4, 4), 'own.json': JSON.stringify(inner) });
    const { items } = await embedAll(datasetOfPictures([red, blue]), { model: 'own.onnx' });
    expect([...items.matrix.data]).toEqual([1, 0, 0, 0, 0, 1]);
  });

  it.each([
    ['float16', [1, 3, 4, 4]],
    ['float32', ['N', 3, 4, 4]],
    ['float32', [3, 4, 4, 3]],
    ['float16', ['N', 4, 4, 3]],
  ] as const)('feeds %s of shape %j', async (type: ElementName, dims) => {
    const { embedAll } = await world({ 'own.onnx': identityModel(dims, type), 'own.json': JSON.stringify(card) });
    const { items } = await embedAll(datasetOfPictures([red, blue, red, blue]), { model: 'own.onnx' });
    const planar = dims[1] === 3;
    for (const [r, channel] of [0, 2, 0, 2].entries()) {
      const vector = [...row(items.matrix, r)];
      const expected = vector.map((_, at) => ((planar ? Math.floor(at / 16) : at % 3) === channel ? 0.25 : 0));
      for (const [at, value] of vector.entries()) expect(value).toBeCloseTo(expected[at]!, 5);
    }
  });

  it('embeds only what is new, by content, whatever the item is called', async () => {
    const { embedAll } = await world();
    const first = await embedAll(datasetOfPictures([sunny, red]));
    expect(first.notes).toMatchObject({ embedded: 2, fromCache: 0 });
    const again = await embedAll(datasetOfPictures([sunny, red]));
    expect(again.notes).toMatchObject({ embedded: 0, fromCache: 2 });
    expect(again.items.matrix.data).toEqual(first.items.matrix.data);
    const more = await embedAll(datasetOfPictures([blue, red, sunny]));
    expect(more.notes).toMatchObject({ embedded: 1, fromCache: 2 });
    expect(row(more.items.matrix, 1)).toEqual(row(first.items.matrix, 1));
  });

  it('keeps apart what different models and cards made', async () => {
    const bgr = { ...card, input: { ...card.input, channels: 'bgr' } };
    const { embedAll } = await world({
      'a.onnx': classifierModel(4, 4),
      'a.json': JSON.stringify(card),
      'b.onnx': classifierModel(4, 4),
      'b.json': JSON.stringify(bgr),
    });
    const [a, b] = [
      await embedAll(datasetOfPictures([red]), { model: 'a.onnx' }),
      await embedAll(datasetOfPictures([red]), { model: 'b.onnx' }),
    ];
    expect(b.notes).toMatchObject({ embedded: 1 });
    expect(b.items.matrix.data).not.toEqual(a.items.matrix.data);
  });

  it('notices a damaged cache, uses what is whole, and mends it', async () => {
    const { embedAll, directory } = await world();
    const first = await embedAll(datasetOfPictures([sunny, red, blue]));
    const [name] = await readdir(join(directory, 'cache/vectors'));
    const file = join(directory, 'cache/vectors', name!);
    const bytes = await readFile(file);
    const size = (bytes.length - 16) / 3;
    const flipped = Buffer.from(bytes);
    flipped[16 + size + 100]! ^= 1;
    for (const [damaged, embedded] of [
      [flipped, 1],
      [bytes.subarray(0, bytes.length - 5), 1],
      [bytes.subarray(0, 10), 3],
      [Buffer.concat([bytes, Buffer.from('torn')]), 0],
    ] as const) {
      await writeFile(file, damaged);
      const mended = await embedAll(datasetOfPictures([sunny, red, blue]));
      expect(mended.notes).toMatchObject({ embedded, fromCache: 3 - embedded, cacheDamaged: 1 });
      // In another company a picture's vector may differ in its last bits.
      for (let r = 0; r < 3; r++)
        expect(dot(row(mended.items.matrix, r), row(first.items.matrix, r))).toBeCloseTo(1, 5);
      expect((await embedAll(datasetOfPictures([sunny, red, blue]))).notes).toMatchObject({
        embedded: 0,
        cacheDamaged: 0,
      });
      expect((await readFile(file)).length).toBe(bytes.length);
    }
  });

  it('embeds a picture that comes later as the fit did, from the stored model alone', async () => {
    const { embedAll } = await world({
      'own.onnx': identityModel([1, 3, 4, 4], 'float16'),
      'own.json': JSON.stringify(card),
    });
    const packr = new Packr({ moreTypes: true, useRecords: true });
    for (const params of [{}, { model: 'own.onnx' }]) {
      const { items, model: made } = await embedAll(datasetOfPictures([sunny, red]), params);
      const embedder = await image.openEmbedder!(packr.unpack(packr.pack(made)));
      const [first, second] = await Promise.all([embedder.embed({ image: sunny }), embedder.embed({ image: red })]);
      expect(embedder.dim).toBe(items.matrix.dim);
      expect(dot(first!, row(items.matrix, 0))).toBeCloseTo(1, 5);
      expect(dot(second!, row(items.matrix, 1))).toBeCloseTo(1, 5);
      expect(await embedder.embed({ text: 'a sun' })).toBeUndefined();
      await expect(embedder.embed({ image: Buffer.from('no') })).rejects.toEqual(
        nighError('INVALID_ARGUMENT', 'picture cannot be read'),
      );
      await embedder.close!();
      await expect(embedder.embed({ image: red })).rejects.toEqual(nighError('CLOSED'));
    }
    await expect(image.openEmbedder!({ bytes: 'no' })).rejects.toEqual(nighError('FORMAT', 'bytes'));
  });

  it('stops when it is aborted, and when a picture fails for a reason that is not its own', async () => {
    const { context } = await world();
    const aborted = image.fit(datasetOfPictures([red]), image.parse({}, ''), {
      ...context,
      signal: AbortSignal.abort(),
    });
    await expect(aborted).rejects.toEqual(nighError('ABORTED'));
    const offline = datasetOfPictures([red, new NighError('DOWNLOAD_FAILED', 'offline')]);
    await expect(image.fit(offline, image.parse({}, ''), context)).rejects.toEqual(
      nighError('DOWNLOAD_FAILED', 'offline'),
    );
  });

  it('holds few pictures at a time and reports progress to the end', async () => {
    const { context } = await world();
    const count = 200;
    let open = 0;
    let most = 0;
    const dataset = datasetOfPictures([]);
    const many = {
      ...dataset,
      ...(await manyItems(count)),
      pictures: {
        async read() {
          most = Math.max(most, ++open);
          await new Promise((resolve) => setTimeout(resolve, 1));
          open--;
          return red;
        },
      },
    };
    const reports: number[] = [];
    const { items } = await image.fit(many, image.parse({}, ''), {
      ...context,
      onProgress: (done) => reports.push(done),
    });
    expect(items.matrix.rows).toBe(count);
    expect(most).toBeLessThanOrEqual(32);
    expect(reports.at(-1)).toBe(count);
  });
});

async function manyItems(count: number) {
  const { items, titles } = datasetOfPictures(new Array(count).fill(red));
  return { items, titles };
}

describe('the embedding image refuses', () => {
  it('a dataset without pictures, and one none of whose pictures can be used', async () => {
    const { embedAll } = await world();
    const { pictures: _, ...bare } = datasetOfPictures([red]);
    await expect(embedAll(bare)).rejects.toEqual(nighError('MISSING_COLUMN', 'items.picture'));
    await expect(embedAll(datasetOfPictures([undefined, Buffer.from('x')]))).rejects.toEqual(
      nighError('EMPTY_DATASET', '1 could not be used', '"i1"'),
    );
  });

  it.each<[string, Record<string, unknown>, string | Uint8Array, unknown, Parameters<typeof nighError>]>([
    ['an unknown name', { model: 'squeezenett' }, '', card, ['INVALID_ARGUMENT', 'mean "squeezenet"']],
    ['a file that is not there', { model: 'other.onnx' }, '', card, ['NOT_FOUND', 'other.onnx']],
    ['a model without a card', {}, classifierModel(4, 4), undefined, ['NOT_FOUND', 'own.json', '"channels"']],
    ['a card that is no JSON', {}, classifierModel(4, 4), '{', ['FORMAT', 'own.json', 'JSON']],
    [
      'a card with a wrong key',
      {},
      classifierModel(4, 4),
      { ...card, ouput: {} },
      ['UNKNOWN_OPTION', 'own.json: ouput', 'mean "output"'],
    ],
    [
      'a card with too few means',
      {},
      classifierModel(4, 4),
      { input: { ...card.input, mean: [0] } },
      ['INVALID_ARGUMENT', 'input.mean', '3 numbers'],
    ],
    [
      'a card that contradicts the size',
      {},
      classifierModel(4, 4),
      { input: { ...card.input, size: [8, 8] } },
      ['INVALID_ARGUMENT', 'input.size', '4 × 4'],
    ],
    ['a size that nobody tells', {}, identityModel(['N', 3, 'h', 'w']), card, ['INVALID_ARGUMENT', 'input.size']],
    ['a layout that nobody tells', {}, identityModel(['N', 'c', 8, 8]), card, ['INVALID_ARGUMENT', 'input.layout']],
    ['a wrong rank', {}, identityModel([1, 10]), card, ['INVALID_ARGUMENT', 'four dimensions', 'got 2']],
    ['a wrong element type', {}, identityModel(['N', 3, 4, 4], 'int64'), card, ['UNSUPPORTED', 'int64']],
    ['two inputs', {}, twoInputs(), card, ['INVALID_ARGUMENT', 'one input', '"picture", "mask"']],
    [
      'an input that is not there',
      {},
      classifierModel(4, 4),
      { input: { ...card.input, name: 'pic' } },
      ['INVALID_ARGUMENT', 'input called "pic"'],
    ],
    [
      'a tensor that is not there',
      {},
      classifierModel(4, 4),
      { ...card, output: { tensor: 'double' } },
      ['INVALID_ARGUMENT', 'mean "doubled"'],
    ],
    ['a tensor that is not a row a picture', {}, flattened(), card, ['INVALID_ARGUMENT', 'one row for each']],
    ['garbage', {}, Buffer.from('<html>'), card, ['FORMAT', 'own.onnx: not an ONNX model']],
  ])('%s', async (_, params, file, content, expected) => {
    const json =
      content === undefined ? {} : { 'own.json': typeof content === 'string' ? content : JSON.stringify(content) };
    const { embedAll } = await world({ 'own.onnx': file, ...json });
    await expect(embedAll(datasetOfPictures([red]), { model: 'own.onnx', ...params })).rejects.toEqual(
      nighError(...expected),
    );
  });
});

function twoInputs(): Uint8Array {
  const dims = ['N', 3, 4, 4];
  return model({
    node: [{ opType: 'Add', input: ['picture', 'mask'], output: ['same'] }],
    input: [valueInfo('picture', 'float32', dims), valueInfo('mask', 'float32', dims)],
    output: [valueInfo('same', 'float32', dims)],
  });
}

/** All pictures in one row. */
function flattened(): Uint8Array {
  return model({
    node: [{ opType: 'Flatten', input: ['picture'], output: ['all'], attribute: [{ name: 'axis', i: 0, type: 2 }] }],
    input: [valueInfo('picture', 'float32', [2, 3, 4, 4])],
    output: [valueInfo('all', 'float32', [1, 96])],
  });
}
