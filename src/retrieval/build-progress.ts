/** How far a build is. */
export interface BuildProgress {
  /**
   * `download` and `read` count bytes of the dataset, `embedding` the embedding's own units, `index` vectors, `recall` queries,
   * `write` files.
   */
  readonly stage: BuildStage;
  /** The space, while one is built. */
  readonly space?: string;
  /** The dataset, file or index that is worked on, for people. */
  readonly subject: string;
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
}

export type BuildStage = 'download' | 'read' | 'embedding' | 'index' | 'recall' | 'write';

/** How long a part of a build took. */
export interface StageTiming {
  readonly stage: 'dataset' | 'embedding' | 'index' | 'recall' | 'write';
  readonly space?: string;
  readonly seconds: number;
}

/** Adds up the time of the parts of a build, in the order in which they first came. */
export class Stopwatch {
  readonly #seconds = new Map<string, { stage: StageTiming['stage']; space?: string; seconds: number }>();
  readonly #began = performance.now();

  /** Runs the work and adds its time, also when it fails. */
  async time<T>(stage: StageTiming['stage'], space: string | undefined, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      const key = `${stage}/${space ?? ''}`;
      const entry = this.#seconds.get(key) ?? { stage, ...(space === undefined ? {} : { space }), seconds: 0 };
      entry.seconds += (performance.now() - began) / 1000;
      this.#seconds.set(key, entry);
    }
  }

  get timings(): readonly StageTiming[] {
    return [...this.#seconds.values()];
  }

  /** Since the stopwatch was made. */
  get elapsedSeconds(): number {
    return (performance.now() - this.#began) / 1000;
  }
}
