/** Texts → unit vectors: a tokenizer.json, a model, and the session that runs it. */
import { Tokenizer } from '@huggingface/tokenizers';
import { NighError } from '../../core/errors.js';
import { OnnxModel, type TensorInfo } from '../onnx/model.js';
import { type Feed, OnnxSession, type OutputTensor } from '../onnx/session.js';
import { atUnitLength } from '../unit-length.js';
import type { OnnxTextParams } from './onnx-text.js';

export interface TextEncoderPlan {
  readonly bytes: Uint8Array;
  /** The content of tokenizer.json. */
  readonly tokenizer: string;
  readonly params: OnnxTextParams;
  readonly origin: string;
}

/** Tokens that go through the model together, the padding of shorter texts included. */
const tokensAtOnce = 4096;

export class OnnxTextEncoder {
  readonly #plan: TextEncoderPlan;
  readonly #model: OnnxModel;
  readonly #tokenizer: Tokenizer;
  readonly #session: OnnxSession;
  readonly #output: string;
  /** What the tokenizer makes of nothing: the tokens that it adds to every text. */
  readonly #added: readonly number[];

  private constructor(plan: TextEncoderPlan, model: OnnxModel, session: OnnxSession, output: string) {
    this.#plan = plan;
    this.#model = model;
    this.#session = session;
    this.#output = output;
    this.#tokenizer = readTokenizer(plan);
    this.#added = this.#tokenizer.encode('').ids;
  }

  /**
   * @param threads 0 = all
   * @throws NighError OPTIONAL_PACKAGE, FORMAT, UNSUPPORTED, INVALID_ARGUMENT for a model with inputs that are not known
   */
  static async open(plan: TextEncoderPlan, threads: number): Promise<OnnxTextEncoder> {
    const model = OnnxModel.parse(plan.bytes, plan.origin);
    for (const input of model.inputs) requireTextInput(input, plan.origin);
    model.input('input_ids');
    const { bytes, output } = model.withOutput(plan.params.output ?? model.onlyOutput('output'), 'none');
    const session = await OnnxSession.open(bytes, plan.origin, threads);
    try {
      return new OnnxTextEncoder(plan, model, session, output);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /**
   * Ids of a text's tokens. A text that is too long loses its end, not what the tokenizer puts around it.
   * @throws NighError FORMAT for a token that the tokenizer has no number for
   */
  tokens(text: string): Int32Array {
    // The library's types lose this one on the way.
    const { ids, tokens } = this.#tokenizer.encode(text) as { ids: number[]; tokens: string[] };
    const strange = ids.findIndex((id) => !Number.isSafeInteger(id) || id < 0);
    if (strange !== -1) {
      const token = JSON.stringify(tokens[strange]);
      throw new NighError('FORMAT', `${this.#plan.origin}: its tokenizer.json has no number for the token ${token}.`);
    }
    const { maxLength } = this.#plan.params;
    if (ids.length <= maxLength) return Int32Array.from(ids);
    const added = this.#added;
    let before = 0;
    while (before < added.length && ids[before] === added[before]) before++;
    const after = added.length - before;
    return Int32Array.from([...ids.slice(0, maxLength - after), ...ids.slice(ids.length - after)]);
  }

  /** How many texts of at most so many tokens go through the model together. */
  textsAtOnce(longest: number): number {
    return this.#model.input('input_ids').shape?.[0] ?? Math.max(1, Math.floor(tokensAtOnce / Math.max(1, longest)));
  }

  /**
   * Unit vectors; undefined where the model gives all zeros, or what is not finite.
   * @param texts at most `textsAtOnce` of them
   * @throws NighError FORMAT, INVALID_ARGUMENT for an output of another shape than the pooling needs, CLOSED
   */
  async encode(texts: readonly Int32Array[]): Promise<(Float32Array | undefined)[]> {
    const [rows = texts.length, width = Math.max(1, ...texts.map((ids) => ids.length))] =
      this.#model.input('input_ids').shape ?? [];
    const long = texts.find((ids) => ids.length > width);
    if (long !== undefined) {
      throw new NighError(
        'INVALID_ARGUMENT',
        `${this.#plan.origin}: takes texts of ${width} tokens, got ${long.length}: set maxLength to ${width}.`,
      );
    }
    const shape = { rows, width };
    const feeds = this.#model.inputs.map(({ name, type }) => [name, feed(name, type, texts, shape)] as const);
    const answer = await this.#session.run(Object.fromEntries(feeds), this.#output);
    return texts.map((ids, r) => atUnitLength(this.#pooled(answer, r, ids.length, shape)));
  }

  /** Resolves when the thread has ended. */
  close(): Promise<void> {
    return this.#session.close();
  }

  #pooled({ data, dims }: OutputTensor, row: number, length: number, shape: { rows: number; width: number }) {
    const { pool } = this.#plan.params;
    const expected = pool === 'none' ? [shape.rows] : [shape.rows, shape.width];
    const dim = dims.at(-1) ?? 0;
    if (dims.length !== expected.length + 1 || expected.some((size, d) => dims[d] !== size) || dim === 0) {
      throw new NighError(
        'INVALID_ARGUMENT',
        `${this.#plan.origin}: pool ${pool}: expected an output of shape [${expected.join(', ')}, dimensions], got [${dims.join(', ')}].`,
      );
    }
    if (pool === 'none') return data.slice(row * dim, (row + 1) * dim);
    const sum = new Float32Array(dim);
    const begin = row * shape.width * dim;
    const end = begin + (pool === 'cls' ? Math.min(1, length) : length) * dim;
    for (let at = begin; at < end; at++) sum[(at - begin) % dim]! += data[at]!;
    return sum;
  }
}

const textInputs = ['input_ids', 'attention_mask', 'token_type_ids'];

function requireTextInput({ name, type, shape }: TensorInfo, origin: string): void {
  if (textInputs.includes(name) && (type === 'int64' || type === 'int32') && (shape?.length ?? 2) === 2) return;
  throw new NighError(
    'INVALID_ARGUMENT',
    `${origin}: the input ${name}: expected only ${textInputs.join(', ')}, integers of shape [texts, tokens].`,
  );
}

/** Shorter texts are filled up with token 0, which the mask leaves out. */
function feed(
  name: string,
  type: TensorInfo['type'],
  texts: readonly Int32Array[],
  { rows, width }: { rows: number; width: number },
): Feed {
  const values = new Int32Array(rows * width);
  for (const [r, ids] of texts.entries()) {
    if (name === 'input_ids') values.set(ids, r * width);
    else if (name === 'attention_mask') values.fill(1, r * width, r * width + ids.length);
  }
  const dims = [rows, width];
  return type === 'int32'
    ? { type, data: values, dims }
    : { type: 'int64', data: BigInt64Array.from(values, BigInt), dims };
}

function readTokenizer({ tokenizer, origin }: TextEncoderPlan): Tokenizer {
  try {
    const json = JSON.parse(tokenizer) as { model?: { unk_token?: unknown } };
    // The library looks for the unknown word of a WordLevel model in another file of its maker; it is in this one too.
    return new Tokenizer(json, { unk_token: json.model?.unk_token });
  } catch (cause) {
    throw new NighError('FORMAT', `${origin}: its tokenizer.json cannot be used: ${(cause as Error).message}.`, {
      cause,
    });
  }
}
