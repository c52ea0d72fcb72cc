/** Texts of a dataset → vectors: tokenized one after another, then encoded in batches of about one length, so that little is padding. */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { breathe, throwIfAborted } from '../../core/abort.js';
import { describe, invalidArgument, NighError } from '../../core/errors.js';
import { zeros } from '../../core/matrix.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { Dataset } from '../../data/dataset.js';
import { fileError } from '../../data/file-error.js';
import type { FitContext, FittedSpace } from '../embedding.js';
import { joinFields, type OnnxTextParams } from './onnx-text.js';
import { OnnxTextEncoder } from './text-encoder.js';

const progressIntervalMs = 100;

/** @throws NighError as Embedding.fit; NOT_FOUND, IO, and as OnnxTextEncoder.open */
export async function fitTexts(dataset: Dataset, params: OnnxTextParams, context: FitContext): Promise<FittedSpace> {
  const { signal, onProgress, threads = 0, baseDirectory = '.' } = context;
  const read = params.fields.map((name) => fieldReader(dataset, name));
  const model = resolve(baseDirectory, params.model);
  const tokenizerPath =
    params.tokenizer === undefined ? join(dirname(model), 'tokenizer.json') : resolve(baseDirectory, params.tokenizer);
  const [bytes, tokenizer] = await Promise.all([readWhole(model), readWhole(tokenizerPath)]);
  const plan = { bytes, tokenizer: tokenizer.toString(), params, origin: model };
  const encoder = await OnnxTextEncoder.open(plan, threads);
  try {
    const texts: { ordinal: number; ids: Int32Array }[] = [];
    for (let ordinal = 0; ordinal < dataset.items.size; ordinal++) {
      if (ordinal % 64 === 0) await breathe(signal);
      const text = joinFields(
        read.map((field) => field(ordinal)),
        params.prefix,
      );
      if (text !== undefined) texts.push({ ordinal, ids: encoder.tokens(text) });
    }
    texts.sort((a, b) => b.ids.length - a.ids.length || a.ordinal - b.ordinal);
    const made: { ordinal: number; vector: Float32Array }[] = [];
    let reported = performance.now();
    for (let begin = 0; begin < texts.length; ) {
      throwIfAborted(signal);
      const batch = texts.slice(begin, begin + encoder.textsAtOnce(texts[begin]!.ids.length));
      const vectors = await encoder.encode(batch.map(({ ids }) => ids));
      for (const [i, { ordinal }] of batch.entries()) {
        const vector = vectors[i];
        if (vector !== undefined) made.push({ ordinal, vector });
      }
      begin += batch.length;
      if (performance.now() - reported < progressIntervalMs && begin < texts.length) continue;
      reported = performance.now();
      onProgress?.(begin, texts.length);
    }
    const [first] = made;
    if (first === undefined) {
      throw new NighError(
        'EMPTY_DATASET',
        `onnx-text: none of ${dataset.items.size} items has text in ${params.fields.join(', ')}.`,
      );
    }
    made.sort((a, b) => a.ordinal - b.ordinal);
    const dim = first.vector.length;
    const matrix = zeros(made.length, dim);
    for (const [r, { vector }] of made.entries()) matrix.data.set(vector, r * dim);
    return {
      items: { matrix, ordinals: Uint32Array.from(made, ({ ordinal }) => ordinal) },
      model: {
        bytes,
        tokenizer: plan.tokenizer,
        dim,
        params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)),
      },
      notes: { model, pool: params.pool, withoutText: dataset.items.size - texts.length },
    };
  } finally {
    await encoder.close();
  }
}

type FieldReader = (ordinal: number) => string | readonly string[] | undefined;

/** @throws NighError MISSING_COLUMN, INVALID_ARGUMENT for a column of numbers */
export function fieldReader(dataset: Dataset, name: string): FieldReader {
  if (name === 'title') return (ordinal) => dataset.titles[ordinal];
  const column = dataset.columns.get(name);
  if (column === undefined) {
    const known = ['title', ...dataset.columns.keys()];
    throw new NighError(
      'MISSING_COLUMN',
      `onnx-text: fields: there is no column ${describe(name)}.${didYouMean(name, known)} The dataset has ${known.join(', ')}.`,
    );
  }
  if (column.type === 'number') throw invalidArgument(`fields: ${name}`, 'a column of texts or tags', column.type);
  return (ordinal) => column.values[ordinal];
}

async function readWhole(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw fileError(path, cause);
  }
}
