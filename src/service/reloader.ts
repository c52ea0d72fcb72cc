/**
 * From one generation to the next while questions are asked:
 *
 *   1. open     the collection's live generation beside the one that is served; every checksum is verified
 *   2. check    recall of a sample, in every space, against the recipe's floor; overlap of its answers with the present ones
 *   3. replace  the next question goes to the new one; the old one is closed after its last answer
 *
 * Whatever fails before 3 leaves the old generation where it is.
 */
import type { FastifyBaseLogger } from 'fastify';
import { NighError } from '../core/errors.js';
import type { Reload } from '../retrieval/types.js';
import { canaryRecall, overlap } from './canary.js';
import type { Metrics } from './metrics.js';
import type { ServedCollection, ServedCollections } from './served-collections.js';

export interface ReloaderOptions {
  /** Least overlap of a new generation's answers with those of the present one, 0 to 1. */
  readonly minOverlap: number;
  readonly logger: FastifyBaseLogger;
  readonly metrics: Metrics;
}

const sampleSize = 64;
/** A sample of 64 × 10 places may miss by chance what the build's larger sample did not. */
const samplingError = 0.02;

export class Reloader {
  readonly #collections: ServedCollections;
  readonly #options: ReloaderOptions;
  /** Reloads under way; who asks meanwhile gets the same one. */
  readonly #running = new Map<string, Promise<Reload>>();
  /** Generations that were refused, so that watching does not try them again. */
  readonly #refused = new Map<string, string>();
  #watch: NodeJS.Timeout | undefined;

  constructor(collections: ServedCollections, options: ReloaderOptions) {
    this.#collections = collections;
    this.#options = options;
  }

  /**
   * @throws NighError UNKNOWN_COLLECTION, UNSUPPORTED for a collection that is not on disk, RECALL_FLOOR, OVERLAP_FLOOR, and what opening
   * throws
   */
  reload(name: string): Promise<Reload> {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const reload = this.#reload(name).finally(() => this.#running.delete(name));
    this.#running.set(name, reload);
    return reload;
  }

  /** Every collection whose live generation is another one than is served. What fails is logged. */
  async reloadChanged(): Promise<void> {
    for (const collection of this.#collections.all()) {
      const { name, generation } = collection.info;
      try {
        const live = await collection.liveGeneration?.();
        if (live === undefined || live === generation || live === this.#refused.get(name)) continue;
        await this.reload(name);
      } catch (error) {
        this.#options.logger.error({ err: error, collection: name }, 'the new generation was refused');
      }
    }
  }

  /** Looks every so often whether CURRENT names another generation. */
  watch(everyMs: number): void {
    const look = async () => {
      await this.reloadChanged();
      if (this.#watch !== undefined) this.#watch = setTimeout(look, everyMs).unref();
    };
    this.#watch = setTimeout(look, everyMs).unref();
  }

  stop(): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  async #reload(name: string): Promise<Reload> {
    const began = performance.now();
    const { logger, metrics } = this.#options;
    let live: string | undefined;
    try {
      const reload = await this.#collections.use(name, async (old) => {
        const { generation: from } = old.info;
        if (old.reopen === undefined || old.liveGeneration === undefined) {
          throw new NighError(
            'UNSUPPORTED',
            `The collection ${name} is not served from a directory: it cannot be reloaded.`,
          );
        }
        live = await old.liveGeneration();
        if (live === from)
          return { collection: name, from, to: from, swapped: false, recall: {}, overlap: 1, tookMs: 0 };
        const next: ServedCollection = await old.reopen();
        try {
          const checks = await this.#check(old, next);
          await this.#collections.replace(next);
          return { collection: name, from, to: next.info.generation, swapped: true, ...checks, tookMs: 0 };
        } catch (error) {
          await next.close?.();
          throw error;
        }
      });
      const done = { ...reload, tookMs: performance.now() - began };
      if (!done.swapped) return done;
      metrics.reloaded(name, 'swapped');
      this.#refused.delete(name);
      logger.info(done, 'another generation is served');
      return done;
    } catch (error) {
      if (live !== undefined) {
        this.#refused.set(name, live);
        metrics.reloaded(name, 'refused');
      }
      throw error;
    }
  }

  async #check(old: ServedCollection, next: ServedCollection): Promise<Pick<Reload, 'recall' | 'overlap'>> {
    const { name, generation, recallFloor } = next.info;
    if (name !== old.info.name) {
      throw new NighError(
        'INVALID_ARGUMENT',
        `The generation ${generation} is of a collection ${name}, not ${old.info.name}.`,
      );
    }
    const recalls = await canaryRecall(next, next.sampleItems?.(sampleSize) ?? []);
    for (const [space, recall] of recalls) {
      if (recall >= recallFloor - samplingError) continue;
      throw new NighError(
        'RECALL_FLOOR',
        `${generation} of ${name}: recall@10 of the space ${space} is ${recall.toFixed(3)} over a sample, its floor ${recallFloor}.`,
      );
    }
    const common = await overlap(old, next, old.sampleItems?.(sampleSize) ?? []);
    if (common < this.#options.minOverlap) {
      throw new NighError(
        'OVERLAP_FLOOR',
        `${generation} of ${name}: its answers have ${common.toFixed(3)} in common with those of ${old.info.generation}; at least ${this.#options.minOverlap} is wanted.`,
      );
    }
    return { recall: Object.fromEntries(recalls), overlap: common };
  }
}
