/**
 * The embedding `onnx-text`: the items' texts through a text encoder that somebody brings as an ONNX model with its tokenizer.json (a
 * sentence transformer, or one tower of a retrieval model), unit vectors for the cosine metric. An item none of whose fields has text
 * has no vector. nigh comes with no encoder: model and tokenizer become part of the collection, which embeds questions with them.
 */
import { invalidArgument, NighError } from '../../core/errors.js';
import { choice, type Field, integer, optional, type ParamsOf, readParams, text } from '../../core/params.js';
import type { Content, Embedder, Embedding } from '../embedding.js';
import type { OnnxTextEncoder } from './text-encoder.js';

const columnNames: Field<readonly string[]> = {
  optional: true,
  fallback: ['title'],
  read: (value, path) => {
    const fits = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
    if (!fits) throw invalidArgument(path, 'an array of column names', value);
    return value as string[];
  },
};

const schema = {
  /** The encoder, an .onnx file, relative to the recipe. Fed by name: input_ids, attention_mask, token_type_ids. */
  model: text(),
  /** Its tokenizer, relative to the recipe. Default: `tokenizer.json` beside the model. */
  tokenizer: optional(text()),
  /** Text and tags columns, laid one after another, a line each; `title` is the items' titles. */
  fields: columnNames,
  /** Put before the text of an item, and before a question, where the encoder was trained so (`passage: `, `query: `). */
  prefix: text({ default: '' }),
  /** The one before a question. */
  queryPrefix: text({ default: '' }),
  /** The output to take; any tensor of the graph. Default: the model's only output. */
  output: optional(text()),
  /** `mean` of the tokens of [texts, tokens, dimensions], or the first one, `cls`; `none`: the output is [texts, dimensions]. */
  pool: choice(['mean', 'cls', 'none'], { default: 'mean' }),
  /** Tokens of a text, those that the tokenizer adds included; what is longer is cut. No more than the encoder was made for. */
  maxLength: integer({ min: 4, max: 8192, default: 256 }),
};

export type OnnxTextParams = ParamsOf<typeof schema>;

function parse(params: Readonly<Record<string, unknown>>, path: string): OnnxTextParams {
  return readParams(schema, params, path);
}

export const onnxText: Embedding<OnnxTextParams> = {
  name: 'onnx-text',
  keys: Object.keys(schema),
  schema,
  parse,
  async requireColumns(dataset, { fields }) {
    const { fieldReader } = await import('./fit-texts.js');
    for (const name of fields) fieldReader(dataset, name);
  },
  async fit(dataset, params, context) {
    const { fitTexts } = await import('./fit-texts.js');
    return fitTexts(dataset, params, context);
  },
  openEmbedder,
};

/** A text → its vector. The model is loaded at the first one. */
async function openEmbedder(stored: Readonly<Record<string, unknown>>): Promise<Embedder> {
  const [{ ModelReader }, { OnnxTextEncoder }] = await Promise.all([
    import('../model-reader.js'),
    import('./text-encoder.js'),
  ]);
  const reader = new ModelReader('onnx-text', stored);
  const params = reader.parsed('params', parse);
  const plan = { bytes: reader.bytes('bytes'), tokenizer: reader.text('tokenizer'), params, origin: params.model };
  const dim = reader.integer('dim');
  let encoder: Promise<OnnxTextEncoder> | undefined;
  let closed = false;
  return {
    dim,
    async embed(content, signal) {
      const words = contentText(content, params);
      if (words === undefined) return undefined;
      if (closed) throw new NighError('CLOSED', 'The embedder was closed.');
      encoder ??= OnnxTextEncoder.open(plan, 0);
      const opened = await encoder;
      if (signal?.aborted) throw new NighError('ABORTED', 'The operation was aborted.', { cause: signal.reason });
      const [vector] = await opened.encode([opened.tokens(words)]);
      if (vector !== undefined && vector.length !== dim) {
        throw new NighError('FORMAT', `The stored onnx-text model gives ${vector.length} dimensions, not ${dim}.`);
      }
      return vector;
    },
    async close() {
      closed = true;
      await (await encoder?.catch(() => undefined))?.close();
    },
  };
}

function contentText(content: Content, { fields, prefix, queryPrefix }: OnnxTextParams): string | undefined {
  const { text: question, title, attributes = {} } = content;
  if (question !== undefined) {
    if (typeof question !== 'string') throw invalidArgument('text', 'a text', question);
    return question.trim() === '' ? undefined : queryPrefix + question;
  }
  return joinFields(
    fields.map((name) => {
      const value = name === 'title' ? title : attributes[name];
      const texts = value === undefined || typeof value === 'string' ? [] : value;
      if (Array.isArray(texts) && texts.every((each) => typeof each === 'string'))
        return value as typeof title | string[];
      throw invalidArgument(name === 'title' ? 'title' : `attributes.${name}`, 'a text or a list of texts', value);
    }),
    prefix,
  );
}

/** One line a field, or undefined where none has text. */
export function joinFields(
  values: readonly (string | readonly string[] | undefined)[],
  prefix: string,
): string | undefined {
  const lines = values.map((value) => (typeof value === 'string' ? value : (value ?? []).join(', ')).trim());
  const told = lines.filter((line) => line !== '');
  return told.length === 0 ? undefined : prefix + told.join('\n');
}
