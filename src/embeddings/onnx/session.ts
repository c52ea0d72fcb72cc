/** ONNX models that run, each on a thread of its own: the near end of onnx-worker.mjs. */
import { Worker } from 'node:worker_threads';
import { NighError } from '../../core/errors.js';
import { packageMissing } from './optional-package.js';

/** A tensor to feed. float16 is given as its bits. */
export type Feed = { readonly dims: readonly number[] } & (
  | { readonly type: 'float32'; readonly data: Float32Array }
  | { readonly type: 'float16'; readonly data: Uint16Array }
  | { readonly type: 'int64'; readonly data: BigInt64Array }
  | { readonly type: 'int32'; readonly data: Int32Array }
);

export interface OutputTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: { readonly stage: string; readonly message: string };
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: NighError) => void;
}

export class OnnxSession {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #end: NighError | undefined;

  private constructor(readonly origin: string) {
    this.#worker = new Worker(new URL('./onnx-worker.mjs', import.meta.url), { name: 'nigh-onnx', execArgv: [] });
    this.#worker.on('message', (answer: Answer) => this.#take(answer));
    this.#worker.on('error', (cause) =>
      this.#fail(new NighError('INTERNAL', `The ONNX thread failed: ${cause.message}`, { cause })),
    );
    this.#worker.on('exit', (code) =>
      this.#fail(new NighError('INTERNAL', `The ONNX thread ended with code ${code}.`)),
    );
    // A program may end while it holds a session; it may not while a call is open.
    this.#worker.unref();
  }

  /**
   * @param bytes the model
   * @param origin its file, for messages
   * @param threads of the runtime; 0 = one a core
   * @throws NighError OPTIONAL_PACKAGE without onnxruntime-node, FORMAT for a model that it cannot load
   */
  static async open(bytes: Uint8Array, origin: string, threads = 0): Promise<OnnxSession> {
    const session = new OnnxSession(origin);
    try {
      await session.#call('open', { bytes, threads });
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /**
   * Runs the model; calls are answered one after another. What is fed is copied.
   * @param output a float32 output
   * @throws NighError FORMAT where the model fails on what it is fed, CLOSED
   */
  run(feeds: Readonly<Record<string, Feed>>, output: string): Promise<OutputTensor> {
    return this.#call('run', { feeds, output }) as Promise<OutputTensor>;
  }

  /** Later calls are refused, and those under way reject with CLOSED. Resolves when the thread has ended. */
  async close(): Promise<void> {
    this.#fail(new NighError('CLOSED', `${this.origin}: the session was closed.`));
    await this.#worker.terminate();
  }

  #call(name: string, args: object): Promise<unknown> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const call = this.#calls++;
      this.#worker.postMessage({ call, name, args });
      this.#waiting.set(call, { resolve, reject });
      this.#worker.ref();
    });
  }

  #take({ call, value, error }: Answer): void {
    const waiting = this.#waiting.get(call);
    if (waiting === undefined) return;
    this.#waiting.delete(call);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (error === undefined) waiting.resolve(value);
    else waiting.reject(this.#refusal(error.stage, error.message));
  }

  #refusal(stage: string, message: string): NighError {
    if (stage === 'package') return packageMissing('onnxruntime-node', 'An ONNX model', message);
    const what = stage === 'open' ? 'onnxruntime cannot load the model' : 'the model failed';
    return new NighError('FORMAT', `${this.origin}: ${what}: ${message}`);
  }

  #fail(error: NighError): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
