/** Decoded pictures → vectors: a model, its preprocessing and the session that runs it. */
import { NighError } from '../../core/errors.js';
import { ModelReader } from '../model-reader.js';
import { OnnxSession } from '../onnx/session.js';
import { atUnitLength } from '../unit-length.js';
import { type PictureModelPlan, parseStoredPlan } from './model-card.js';
import { InputWriter } from './preprocess.js';

/** A model that is ready to run, as it is kept in a collection: whole, so that a collection can be copied. */
export interface PictureModel {
  /** The model, rewritten to give the vector's tensor and nothing else. */
  readonly bytes: Uint8Array;
  /** Its output. */
  readonly output: string;
  readonly plan: PictureModelPlan;
  /** The model's name or file, for messages. */
  readonly origin: string;
}

/** Pictures that go through a model together, where the model leaves that open. */
export const picturesAtOnce = 16;

/** @throws NighError FORMAT */
export function readPictureModel(stored: Readonly<Record<string, unknown>>): PictureModel & { readonly dim: number } {
  const reader = new ModelReader('image', stored);
  return {
    bytes: reader.bytes('bytes'),
    output: reader.text('output'),
    origin: reader.text('origin'),
    plan: reader.parsed('plan', parseStoredPlan),
    dim: reader.integer('dim'),
  };
}

export class PictureEncoder {
  readonly #session: OnnxSession;
  readonly #model: PictureModel;
  readonly #writer: InputWriter;
  /** Rows of every call to the model. */
  readonly #batch: number | undefined;

  private constructor(
    session: OnnxSession,
    model: PictureModel,
    /** Length of the vectors. */
    readonly dim: number,
  ) {
    this.#session = session;
    this.#model = model;
    this.#writer = new InputWriter(model.plan);
    this.#batch = model.plan.batch;
  }

  /**
   * Loads the model and lets it see one blank picture, so that what is wrong with it is known before the work begins.
   * @param threads 0 = all
   * @throws NighError OPTIONAL_PACKAGE, FORMAT, INVALID_ARGUMENT for a model whose answer is not one row a picture
   */
  static async open(model: PictureModel, threads: number): Promise<PictureEncoder> {
    const session = await OnnxSession.open(model.bytes, model.origin, threads);
    try {
      const blank = new PictureEncoder(session, model, 0);
      const count = model.plan.batch ?? 1;
      const { dims, data } = await blank.#run(blank.#writer.rows(count), count);
      if (dims[0] !== count || data.length === 0) {
        throw new NighError(
          'INVALID_ARGUMENT',
          `${model.origin}: the tensor ${model.plan.tensor}: expected one row for each of ${count} pictures, got the shape [${dims.join(', ')}].`,
        );
      }
      return new PictureEncoder(session, model, data.length / count);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /**
   * Unit vectors, one a picture; undefined where the model gives all zeros (it saw nothing), or what is not finite.
   * @param pictures decoded as the model's preprocessing says
   * @throws NighError FORMAT, CLOSED
   */
  async encode(pictures: readonly Uint8Array[]): Promise<(Float32Array | undefined)[]> {
    const vectors: (Float32Array | undefined)[] = [];
    const step = this.#batch ?? picturesAtOnce;
    for (let begin = 0; begin < pictures.length; begin += step) {
      const some = pictures.slice(begin, begin + step);
      // A model of a fixed batch gets blank rows for those that are missing.
      const count = this.#batch ?? some.length;
      const rows = this.#writer.rows(count);
      for (const [row, pixels] of some.entries()) this.#writer.write(pixels, rows, row);
      const { data } = await this.#run(rows, count);
      for (const row of some.keys()) vectors.push(atUnitLength(data.slice(row * this.dim, (row + 1) * this.dim)));
    }
    return vectors;
  }

  /** Resolves when the thread has ended. */
  close(): Promise<void> {
    return this.#session.close();
  }

  #run(rows: Float32Array | Uint16Array, count: number) {
    const dims = this.#writer.dims(count);
    const { inputName } = this.#model.plan;
    const feed =
      rows instanceof Float32Array
        ? { type: 'float32' as const, data: rows, dims }
        : { type: 'float16' as const, data: rows, dims };
    return this.#session.run({ [inputName]: feed }, this.#model.output);
  }
}
