/**
 * The near end of the thread that holds an hnswlib-node index: calls with answers, errors with codes, progress, abort.
 */
import { Worker } from 'node:worker_threads';
import type { TaskOptions } from '../binding/task.js';
import { onAbort, throwIfAborted } from '../core/abort.js';
import { isErrorCode, NighError } from '../core/errors.js';
import type { MetricName, SearchPlan } from './vector-index.js';

interface SearchMessage {
  readonly k: number;
  readonly efSearch: number;
  readonly exact: boolean;
  readonly filter: { readonly listed: Uint32Array; readonly complement: boolean } | null;
}

/** What hnswlib-worker.mjs can be asked. */
interface Calls {
  build: {
    args: {
      values: Float32Array;
      count: number;
      dim: number;
      ids: Uint32Array | null;
      metric: MetricName;
      M: number;
      efConstruction: number;
      seed: number;
    };
    value: { order: Uint32Array | null };
  };
  load: {
    args: { path: string; count: number; dim: number; ids: Uint32Array | null; metric: MetricName; M: number };
    value: { values: Float32Array; order: Uint32Array | null };
  };
  write: { args: { path: string; M: number }; value: null };
  search: {
    args: SearchMessage & { query: Float32Array };
    value: { ids: Uint32Array; distances: Float32Array; plan: SearchPlan; visited: number };
  };
  searchBatch: {
    args: SearchMessage & { queries: Float32Array; count: number; width: number };
    value: { ids: Uint32Array; distances: Float32Array; counts: Uint32Array; plan: SearchPlan; visited: number };
  };
}

interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly progress?: readonly [number, number];
}

interface Open {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: TaskOptions['onProgress'];
  /** What onProgress threw: the call is cancelled, and rejects with it. */
  failure?: unknown;
  readonly cancel: Int32Array | undefined;
}

export class HnswlibWorker {
  readonly #worker: Worker;
  readonly #open = new Map<number, Open>();
  #calls = 0;
  #holds = 0;
  #closed = false;
  /** Why the thread ended by itself. */
  #death: NighError | undefined;

  constructor() {
    this.#worker = new Worker(new URL('./hnswlib-worker.mjs', import.meta.url), { name: 'nigh-hnswlib', execArgv: [] });
    this.#worker.on('message', (answer: Answer) => this.#take(answer));
    this.#worker.on('error', (cause) =>
      this.#fail(new NighError('INTERNAL', `The hnswlib thread failed: ${cause.message}`, { cause })),
    );
    this.#worker.on('exit', (code) =>
      this.#fail(new NighError('INTERNAL', `The hnswlib thread ended with code ${code}.`)),
    );
    // A program may end while it holds an index; it may not while a call is open.
    this.#worker.unref();
  }

  /** @throws NighError CLOSED, or INTERNAL where the thread ended by itself */
  requireOpen(): void {
    if (this.#closed) throw new NighError('CLOSED', 'The index was closed.');
    if (this.#death !== undefined) throw new NighError('INTERNAL', this.#death.message, { cause: this.#death });
  }

  /** Steps that belong together: once begun they may call the thread to the end, also if close() comes between. */
  async hold<T>(steps: () => Promise<T>): Promise<T> {
    this.requireOpen();
    this.#holds++;
    try {
      return await steps();
    } finally {
      this.#holds--;
      this.#rest();
    }
  }

  /**
   * Asks the thread. Typed arrays over plain buffers are copied, those over shared memory are shared.
   * @throws NighError CLOSED, ABORTED, and what the call throws
   */
  async call<Name extends keyof Calls>(
    name: Name,
    args: Calls[Name]['args'],
    { signal, onProgress }: TaskOptions,
  ): Promise<Calls[Name]['value']> {
    if (this.#holds === 0 || this.#death !== undefined) this.requireOpen();
    throwIfAborted(signal);
    const stoppable = signal !== undefined || onProgress !== undefined;
    const cancel = stoppable ? new Int32Array(new SharedArrayBuffer(4)) : undefined;
    const forget = onAbort(signal, () => cancel !== undefined && Atomics.store(cancel, 0, 1));
    try {
      return await new Promise((resolve, reject) => {
        const call = this.#calls++;
        this.#worker.postMessage({ call, name, args: { ...args, cancel } });
        this.#open.set(call, {
          resolve: (value) => resolve(value as Calls[Name]['value']),
          reject,
          onProgress,
          cancel,
        });
        if (this.#open.size === 1) this.#worker.ref();
      });
    } catch (error) {
      if (!(error instanceof NighError)) throw error;
      const cause = error.code === 'ABORTED' ? signal?.reason : error;
      throw new NighError(error.code, error.message, { cause });
    } finally {
      forget();
    }
  }

  /** Later calls are refused; the thread ends when those under way have been answered. */
  close(): void {
    this.#closed = true;
    this.#rest();
  }

  /** With nothing under way, a closed thread ends and an open one does not keep the process alive. */
  #rest(): void {
    if (this.#open.size > 0 || this.#holds > 0) return;
    if (this.#closed) void this.#worker.terminate();
    else this.#worker.unref();
  }

  #take({ call, value, error, progress }: Answer): void {
    const open = this.#open.get(call);
    if (open === undefined) return;
    if (progress !== undefined) {
      this.#report(open, progress);
      return;
    }
    this.#open.delete(call);
    if ('failure' in open) open.reject(open.failure);
    else if (error !== undefined)
      open.reject(new NighError(isErrorCode(error.code) ? error.code : 'INTERNAL', error.message));
    else open.resolve(value);
    this.#rest();
  }

  #report(open: Open, [done, total]: readonly [number, number]): void {
    if ('failure' in open) return;
    try {
      open.onProgress?.(done, total);
    } catch (failure) {
      open.failure = failure;
      if (open.cancel !== undefined) Atomics.store(open.cancel, 0, 1);
    }
  }

  #fail(error: NighError): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#death ??= error;
    for (const { reject } of open) reject(error);
  }
}
