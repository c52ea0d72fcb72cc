/** With an encoder and a tokenizer of a few words, whose right answers are known; no trained encoder is run here. */
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { row } from '../../../src/core/matrix.js';
import type { Dataset } from '../../../src/data/dataset.js';
import { onnxText } from '../../../src/embeddings/onnx-text/onnx-text.js';
import { nighError } from '../../data/support/expect-error.js';
import { temporaryDirectory } from '../../data/support/temporary-directory.js';
import { floats, model, valueInfo } from '../onnx/tiny-models.js';
import { catalogueOf } from '../support.js';

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'sun', 'moon', 'sea', '##s'];
const tokenizerOf = (model: object) =>
  JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: words.slice(0, 4).map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
      },
    },
    decoder: null,
    model: { vocab: Object.fromEntries(words.map((word, id) => [word, id])), ...model },
  });
const wordPieces = {
  type: 'WordPiece',
  unk_token: '[UNK]',
  continuing_subword_prefix: '##',
  max_input_chars_per_word: 100,
};
const tokenizer = tokenizerOf(wordPieces);

/** Every token has a direction of its own; that of [PAD] would be seen in any mean that took it in. */
const table = words.flatMap((_, id) => words.map((__, d) => (d === id ? (id === 0 ? 1000 : 1) : 0)));

function encoder(type: 'int64' | 'int32' = 'int64', dims: [number | string, number | string] = ['N', 'T']): Uint8Array {
  return model({
    node: [
      { opType: 'Gather', input: ['table', 'input_ids'], output: ['last_hidden_state'] },
      { opType: 'Identity', input: ['attention_mask'], output: ['mask'] },
    ],
    initializer: [floats('table', table, [words.length, words.length])],
    input: [valueInfo('input_ids', type, dims), valueInfo('attention_mask', type, dims)],
    output: [valueInfo('last_hidden_state', 'float32', [...dims, words.length])],
  });
}

async function world(bytes = encoder(), files: Record<string, string> = { 'm/tokenizer.json': tokenizer }) {
  const baseDirectory = await temporaryDirectory({ 'm/encoder.onnx': bytes, ...files });
  return (dataset: Dataset, params: Record<string, unknown> = {}) =>
    onnxText.fit(dataset, onnxText.parse({ model: 'm/encoder.onnx', ...params }, ''), { baseDirectory, threads: 1 });
}

const unit = (counts: Record<string, number>) => {
  const vector = words.map((word) => counts[word] ?? 0);
  const length = Math.hypot(...vector);
  return vector.map((value) => Number((value / length).toFixed(5)));
};
const rounded = (vector: Float32Array) => [...vector].map((value) => Number(value.toFixed(5)));

describe('the embedding onnx-text', () => {
  it.each([
    ['int64', ['N', 'T']],
    ['int32', ['N', 'T']],
    ['int64', [1, 8]],
    ['int64', [4, 'T']],
  ] as const)('takes the mean of a text’s own tokens, whatever it is batched with: %s %j', async (type, dims) => {
    const embedAll = await world(encoder(type, [...dims]));
    const { items, notes } = await embedAll(catalogueOf(['Sun sun moon sea sun', ' ', 'sea', 'storm']), {
      maxLength: 8,
    });
    expect([...items.ordinals]).toEqual([0, 2, 3]);
    expect(rounded(row(items.matrix, 0))).toEqual(unit({ '[CLS]': 1, sun: 3, moon: 1, sea: 1, '[SEP]': 1 }));
    expect(rounded(row(items.matrix, 1))).toEqual(unit({ '[CLS]': 1, sea: 1, '[SEP]': 1 }));
    expect(rounded(row(items.matrix, 2))).toEqual(unit({ '[CLS]': 1, '[UNK]': 1, '[SEP]': 1 }));
    expect(notes).toMatchObject({ withoutText: 1 });
  });

  it('knows pieces of words, and words only, as the tokenizer says', async () => {
    const pieces = await (await world())(catalogueOf(['suns']));
    expect(rounded(row(pieces.items.matrix, 0))).toEqual(unit({ '[CLS]': 1, sun: 1, '##s': 1, '[SEP]': 1 }));
    const whole = { 'm/tokenizer.json': tokenizerOf({ type: 'WordLevel', unk_token: '[UNK]' }) };
    const { items } = await (await world(encoder(), whole))(catalogueOf(['suns sea']));
    expect(rounded(row(items.matrix, 0))).toEqual(unit({ '[CLS]': 1, '[UNK]': 1, sea: 1, '[SEP]': 1 }));
  });

  it('takes the first token for cls', async () => {
    const { items } = await (await world())(catalogueOf(['sun', 'sea']), { pool: 'cls' });
    for (const r of [0, 1]) expect(rounded(row(items.matrix, r))).toEqual(unit({ '[CLS]': 1 }));
  });

  it('takes rows as they are for none', async () => {
    const graph = model({
      node: [
        { opType: 'Gather', input: ['table', 'input_ids'], output: ['hidden'] },
        {
          opType: 'ReduceMax',
          input: ['hidden'],
          output: ['row'],
          attribute: [
            { name: 'axes', ints: [1], type: 7 },
            { name: 'keepdims', i: 0, type: 2 },
          ],
        },
      ],
      initializer: [floats('table', table, [words.length, words.length])],
      input: [valueInfo('input_ids', 'int64', ['N', 'T'])],
      output: [valueInfo('row', 'float32', ['N', words.length])],
    });
    const { items } = await (await world(graph))(catalogueOf(['sun sun']), { pool: 'none' });
    expect(rounded(row(items.matrix, 0))).toEqual(unit({ '[CLS]': 1, sun: 1, '[SEP]': 1 }));
  });

  it('cuts long texts and keeps the tokens around them', async () => {
    const { items } = await (await world())(catalogueOf(['moon sun sea sea sea']), { maxLength: 4 });
    expect(rounded(row(items.matrix, 0))).toEqual(unit({ '[CLS]': 1, moon: 1, sun: 1, '[SEP]': 1 }));
  });

  it('reads the fields that are named, and embeds later items and questions alike', async () => {
    const embedAll = await world();
    const columns = {
      kind: { type: 'tags', values: [['sea', 'moon'], undefined] },
      about: { type: 'text', values: [undefined, 'sun'] },
    } as const;
    const dataset = catalogueOf(['never read', 'x'], columns as unknown as Parameters<typeof catalogueOf>[1]);
    const { items, model: made } = await embedAll(dataset, {
      fields: ['kind', 'about'],
      prefix: 'sun ',
      queryPrefix: 'moon ',
    });
    expect(rounded(row(items.matrix, 0))).toEqual(
      unit({ '[CLS]': 1, sun: 1, sea: 1, '[UNK]': 1, moon: 1, '[SEP]': 1 }),
    );
    const packr = new Packr({ moreTypes: true, useRecords: true });
    const embedder = await onnxText.openEmbedder!(packr.unpack(packr.pack(made)));
    const again = await embedder.embed({ title: 'never', attributes: { about: 'sun' } });
    expect(rounded(again!)).toEqual(rounded(row(items.matrix, 1)));
    expect(rounded((await embedder.embed({ text: 'sea' }))!)).toEqual(
      unit({ '[CLS]': 1, moon: 1, sea: 1, '[SEP]': 1 }),
    );
    expect(await embedder.embed({ title: 'sun' })).toBeUndefined();
    await expect(embedder.embed({ attributes: { about: 3 } })).rejects.toEqual(
      nighError('INVALID_ARGUMENT', 'attributes.about'),
    );
    await embedder.close!();
  });

  it.each<[string, Uint8Array, Record<string, string>, Record<string, unknown>, Parameters<typeof nighError>]>([
    ['no tokenizer', encoder(), {}, {}, ['NOT_FOUND', 'tokenizer.json']],
    ['a tokenizer that is no JSON', encoder(), { 'm/tokenizer.json': '{' }, {}, ['FORMAT', 'tokenizer.json']],
    ['a tokenizer of no kind', encoder(), { 'm/tokenizer.json': '{}' }, {}, ['FORMAT', 'tokenizer.json']],
    [
      'a tokenizer without the word',
      encoder(),
      { 'm/tokenizer.json': tokenizerOf({ type: 'WordLevel' }) },
      { prefix: 'storm ' },
      ['FORMAT', 'no number for the token'],
    ],
    ['garbage', Buffer.from('<html>'), { 'm/tokenizer.json': tokenizer }, {}, ['FORMAT', 'not an ONNX model']],
    [
      'a picture model',
      model({
        node: [{ opType: 'Neg', input: ['x'], output: ['y'] }],
        input: [valueInfo('x', 'float32', [1])],
        output: [valueInfo('y', 'float32', [1])],
      }),
      { 'm/tokenizer.json': tokenizer },
      {},
      ['INVALID_ARGUMENT', 'the input x'],
    ],
    [
      'an output of another shape',
      encoder(),
      { 'm/tokenizer.json': tokenizer },
      { pool: 'none' },
      ['INVALID_ARGUMENT', 'pool none', 'got [1, 3, 8]'],
    ],
    [
      'an output that is not there',
      encoder(),
      { 'm/tokenizer.json': tokenizer },
      { output: 'pooler' },
      ['INVALID_ARGUMENT', '"pooler"'],
    ],
    [
      'texts longer than the model takes',
      encoder('int64', ['N', 2]),
      { 'm/tokenizer.json': tokenizer },
      {},
      ['INVALID_ARGUMENT', 'maxLength'],
    ],
    [
      'a column that is not there',
      encoder(),
      { 'm/tokenizer.json': tokenizer },
      { fields: ['titel'] },
      ['MISSING_COLUMN', 'mean "title"'],
    ],
  ])('refuses %s', async (_, bytes, files, params, expected) => {
    const embedAll = await world(bytes, files);
    await expect(embedAll(catalogueOf(['sun']), params)).rejects.toEqual(nighError(...expected));
  });
});
