/** Rows of features → rows of vectors: a model, and the session that runs it. */
import { describe, NighError } from '../../core/errors.js';
import { findNotFinite, type Matrix, zeros } from '../../core/matrix.js';
import { float16Bits } from '../onnx/float16.js';
import { OnnxModel, type TensorInfo } from '../onnx/model.js';
import { type Feed, OnnxSession } from '../onnx/session.js';
import { atUnitLength } from '../unit-length.js';
import type { OnnxTowerParams, TowerParams } from './onnx-tower.js';

export interface TowerPlan {
  /** The model as it was brought. */
  readonly bytes: Uint8Array;
  readonly params: TowerParams;
  /** Its file, for messages. */
  readonly origin: string;
}

/** Rows that go through a tower together, where the model leaves that open. */
const rowsAtOnce = 1_024;

export class OnnxTower {
  readonly #session: OnnxSession;
  readonly #origin: string;
  readonly #input: TensorInfo;
  readonly #output: string;

  private constructor(session: OnnxSession, origin: string, input: TensorInfo, output: string) {
    this.#session = session;
    this.#origin = origin;
    this.#input = input;
    this.#output = output;
  }

  /**
   * @param threads 0 = all
   * @throws NighError OPTIONAL_PACKAGE, FORMAT, UNSUPPORTED, INVALID_ARGUMENT for a model that takes something else than rows of numbers
   */
  static async open({ bytes, params, origin }: TowerPlan, threads: number): Promise<OnnxTower> {
    const model = OnnxModel.parse(bytes, origin);
    const input = towerInput(model, params.input);
    const rewritten = model.withOutput(params.output ?? model.onlyOutput('output'), 'none');
    const session = await OnnxSession.open(rewritten.bytes, origin, threads);
    return new OnnxTower(session, origin, input, rewritten.output);
  }

  /** How many features a row has; undefined where the model leaves it open. */
  get features(): number | undefined {
    return this.#input.shape?.[1];
  }

  /**
   * One row of vectors for every row of features.
   * @throws NighError DIMENSION_MISMATCH for another number of features than the tower takes, FORMAT, INVALID_ARGUMENT, CLOSED
   */
  async run(features: Matrix, onRows: (done: number) => void = () => {}): Promise<Matrix> {
    const [batch, wanted = features.dim] = this.#input.shape ?? [];
    if (wanted !== features.dim) {
      throw new NighError(
        'DIMENSION_MISMATCH',
        `${this.#origin}: expected ${wanted} features a row, got ${features.dim}.`,
      );
    }
    let vectors: Matrix | undefined;
    for (let begin = 0; begin < features.rows; begin += batch ?? rowsAtOnce) {
      const rows = Math.min(batch ?? rowsAtOnce, features.rows - begin);
      const dims = [batch ?? rows, features.dim];
      const { data, dims: shape } = await this.#session.run(
        { [this.#input.name]: feed(this.#input.type, features, begin, rows, dims) },
        this.#output,
      );
      const dim = shape.at(-1) ?? 0;
      if (shape.length !== 2 || shape[0] !== dims[0] || dim === 0 || (vectors !== undefined && dim !== vectors.dim)) {
        throw new NighError(
          'INVALID_ARGUMENT',
          `${this.#origin}: expected an output of shape [${dims[0]}, dimensions], got [${shape.join(', ')}].`,
        );
      }
      vectors ??= zeros(features.rows, dim);
      vectors.data.set(data.subarray(0, rows * dim), begin * dim);
      onRows(begin + rows);
    }
    return vectors ?? zeros(0, 1);
  }

  /** Resolves when the thread has ended. */
  close(): Promise<void> {
    return this.#session.close();
  }
}

/** At unit length under cosine; undefined for a vector that is not finite, and under cosine for one of length zero. */
export function atMetric(vector: Float32Array, metric: OnnxTowerParams['metric']): Float32Array | undefined {
  if (metric === 'cosine') return atUnitLength(vector);
  return findNotFinite(vector) < 0 ? vector : undefined;
}

function towerInput(model: OnnxModel, name: string | undefined): TensorInfo {
  const [only, second] = model.inputs;
  if (only === undefined || second !== undefined) {
    const known = model.inputs.map((input) => describe(input.name)).join(', ') || 'none';
    throw new NighError('INVALID_ARGUMENT', `${model.origin}: expected a model of one input, got ${known}.`);
  }
  const input = name === undefined ? only : model.input(name);
  if ((input.type === 'float32' || input.type === 'float16') && (input.shape?.length ?? 2) === 2) return input;
  throw new NighError(
    'INVALID_ARGUMENT',
    `${model.origin}: the input ${input.name}: expected rows of float32 or float16, of shape [rows, features].`,
  );
}

/** Rows that a fixed batch lacks are zeros. */
function feed(type: TensorInfo['type'], { data, dim }: Matrix, begin: number, rows: number, dims: number[]): Feed {
  const values = new Float32Array(dims[0]! * dim);
  values.set(data.subarray(begin * dim, (begin + rows) * dim));
  return type === 'float16'
    ? { type, data: Uint16Array.from(values, float16Bits), dims }
    : { type: 'float32', data: values, dims };
}
