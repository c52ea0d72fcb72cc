import { onAbort, throwIfAborted } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import { type NativeTaskControl, native } from './native.js';
import { fromNative } from './native-error.js';

export interface TaskOptions {
  /** Stops the work; the promise then rejects with ABORTED, whose cause is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with work done and in total, in the task's own unit, some ten times a second; what it throws stops the work.
   */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const progressIntervalMs = 100;

/**
 * Runs one native task under a signal and with progress. The promise settles only after the native side let go of the
 * arrays that `start` handed to it, also after an abort.
 * @throws NighError ABORTED, and what the task throws
 */
export async function runTask<T>(
  { signal, onProgress }: TaskOptions,
  start: (control: NativeTaskControl | null) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  if (signal === undefined && onProgress === undefined) {
    try {
      return await start(null);
    } catch (error) {
      throw fromNative(error);
    }
  }
  const control = new (native().TaskControl)();
  const progress = onProgress === undefined ? undefined : new ProgressReport(control, onProgress);
  const forget = onAbort(signal, () => control.cancel());
  try {
    const result = await start(control);
    progress?.finish();
    return result;
  } catch (error) {
    if (progress?.failure !== undefined) throw progress.failure.error;
    const failure = fromNative(error);
    if (failure.code !== 'ABORTED') throw failure;
    throw new NighError('ABORTED', failure.message, { cause: signal?.reason });
  } finally {
    progress?.stop();
    forget();
  }
}

/** Asks a control for its counts while the task runs. */
class ProgressReport {
  readonly #control: NativeTaskControl;
  readonly #onProgress: (done: number, total: number) => void;
  readonly #timer: NodeJS.Timeout;
  /** What the callback threw; the task was cancelled for it. */
  failure: { readonly error: unknown } | undefined;

  constructor(control: NativeTaskControl, onProgress: (done: number, total: number) => void) {
    this.#control = control;
    this.#onProgress = onProgress;
    this.#timer = setInterval(() => this.#report(), progressIntervalMs);
  }

  #report(): void {
    if (this.failure !== undefined) return;
    try {
      this.#onProgress(this.#control.done, this.#control.total);
    } catch (error) {
      this.failure = { error };
      this.#control.cancel();
    }
  }

  /** The last report, of all the work; throws what the callback threw, now or before. */
  finish(): void {
    this.#report();
    if (this.failure !== undefined) throw this.failure.error;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
