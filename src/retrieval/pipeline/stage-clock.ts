import type { StageName } from '../types.js';

/** How long each stage of one request took, in milliseconds. */
export class StageClock {
  readonly #began = performance.now();
  readonly #took: Record<StageName, number> = { question: 0, candidates: 0, scoring: 0, reranking: 0, filtering: 0 };

  async time<T>(stage: StageName, work: () => T | Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.#took[stage] += performance.now() - began;
    }
  }

  get stages(): Readonly<Record<StageName, number>> {
    return { ...this.#took };
  }

  /** Since the request came. */
  get elapsed(): number {
    return performance.now() - this.#began;
  }
}
