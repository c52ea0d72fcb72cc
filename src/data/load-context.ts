/** How far a download or the reading of a file has come. */
export interface LoadProgress {
  readonly stage: 'download' | 'read';
  /** The dataset or file, for people. */
  readonly name: string;
  /** Bytes. */
  readonly done: number;
  /** Bytes; undefined where the size is not known in advance. */
  readonly total?: number;
}

/** The surroundings in which a named dataset is looked up or downloaded. */
export interface FetchContext {
  /** Aborting rejects with ABORTED and leaves nothing half-written. */
  readonly signal?: AbortSignal;
  /** Called at most some ten times a second, and once at the end of each file. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Where NIGH_DATA, NIGH_CACHE and XDG_CACHE_HOME are looked up. Default: `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What the path `-` means. Default: the standard input. */
  readonly input?: Input;
}

/** Bytes, or text: a stream of Node, or any other async iterable. */
export type Input = AsyncIterable<Uint8Array | string>;

/** The surroundings in which a dataset is loaded. */
export interface LoadContext extends FetchContext {
  /** What relative paths in the options are relative to: the directory of the recipe. */
  readonly baseDirectory: string;
}

/** Reports bytes at most ten times a second, and always the last ones. */
export class ByteMeter {
  #done = 0;
  #reportedAt = 0;

  constructor(
    private readonly context: FetchContext,
    private readonly stage: LoadProgress['stage'],
    private readonly name: string,
    private readonly total: number | undefined,
  ) {}

  add(bytes: number): void {
    this.#done += bytes;
    const now = performance.now();
    if (now - this.#reportedAt < 100) return;
    this.#reportedAt = now;
    this.#report();
  }

  finish(): void {
    this.#report();
  }

  #report(): void {
    const { stage, name, total } = this;
    this.context.onProgress?.({ stage, name, done: this.#done, ...(total === undefined ? {} : { total }) });
  }
}

/** The same chunks, counted. */
export async function* metered(chunks: AsyncIterable<Uint8Array>, meter: ByteMeter): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    meter.add(chunk.length);
    yield chunk;
  }
}
