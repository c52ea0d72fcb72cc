/**
 * Pictures of a dataset → vectors.
 *
 * 1. A slice of items after another: read their pictures, and look their content up in the cache.
 * 2. Decode what is new, on the threads of the thread pool.
 * 3. Run the model over it, on a thread of its own, while the next slice is at 1 and 2.
 * 4. Add the new vectors to the cache.
 *
 * Never more than two slices of pictures are in memory.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { throwIfAborted } from '../../core/abort.js';
import { describe, type ErrorCode, NighError } from '../../core/errors.js';
import { type Matrix, zeros } from '../../core/matrix.js';
import type { Dataset } from '../../data/dataset.js';
import { cacheDirectory } from '../../data/fetch/cache.js';
import type { PictureSource } from '../../data/picture-source.js';
import type { FitContext, FittedSpace } from '../embedding.js';
import { PictureEncoder, type PictureModel, picturesAtOnce } from './picture-encoder.js';
import { fingerprint, loadPictureModel } from './picture-models.js';
import { decodePicture, loadSharp, type Sharp } from './preprocess.js';
import { VectorCache } from './vector-cache.js';

const progressIntervalMs = 100;
/** Pictures that could not be used are counted all, and so many named. */
const namedFailures = 10;
/** What is wrong with one picture; anything else ends the fit. */
const pictureFaults: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'IO', 'CAPACITY', 'FORMAT', 'UNKNOWN_ITEM']);

/** One item on its way. */
interface Prepared {
  readonly ordinal: number;
  readonly digest?: Buffer;
  /** From the cache. */
  readonly vector?: Float32Array;
  /** Decoded, to be embedded. */
  readonly pixels?: Uint8Array;
  /** Why there is no vector; absent for an item without a picture. */
  readonly failure?: string;
}

/** @throws NighError as Embedding.fit; OPTIONAL_PACKAGE, FORMAT, UNSUPPORTED, IO, and what loading the model throws */
export async function fitPictures(dataset: Dataset, modelName: string, context: FitContext): Promise<FittedSpace> {
  const { pictures } = dataset;
  if (pictures === undefined) {
    throw new NighError(
      'MISSING_COLUMN',
      `image: the dataset ${dataset.origin.name} has no pictures. A source of tables has them where items.picture names the column of their paths.`,
    );
  }
  const sharp = await loadSharp();
  const model = await loadPictureModel(modelName, context);
  const encoder = await PictureEncoder.open(model, context.threads ?? 0);
  try {
    const { environment } = context;
    const folder = join(cacheDirectory(environment === undefined ? {} : { environment }), 'vectors');
    const cache = await VectorCache.open(join(folder, `${fingerprint(model, sharp)}.bin`), encoder.dim);
    const run = new Run(dataset, { sharp, model, encoder, cache, pictures }, context);
    await run.all();
    return run.space();
  } finally {
    await encoder.close();
  }
}

interface Tools {
  readonly sharp: Sharp;
  readonly model: PictureModel;
  readonly encoder: PictureEncoder;
  readonly cache: VectorCache;
  readonly pictures: PictureSource;
}

class Run {
  readonly #vectors: { ordinal: number; vector: Float32Array }[] = [];
  readonly #failures: string[] = [];
  #failed = 0;
  #embedded = 0;
  #cached = 0;
  #withoutPicture = 0;

  constructor(
    private readonly dataset: Dataset,
    private readonly tools: Tools,
    private readonly context: FitContext,
  ) {}

  async all(): Promise<void> {
    const { signal, onProgress } = this.context;
    const total = this.dataset.items.size;
    const step = this.tools.model.plan.batch ?? picturesAtOnce;
    const slice = Math.ceil(picturesAtOnce / step) * step;
    let next = this.#prepare(0, slice);
    let reported = performance.now();
    for (let begin = 0; begin < total; begin += slice) {
      const prepared = await next;
      throwIfAborted(signal);
      next = this.#prepare(begin + slice, slice);
      // Its failure is met at the next turn, unless this turn fails before.
      next.catch(() => {});
      await this.#embed(prepared);
      if (performance.now() - reported < progressIntervalMs) continue;
      reported = performance.now();
      onProgress?.(Math.min(begin + slice, total), total);
    }
    onProgress?.(total, total);
  }

  /** @throws NighError EMPTY_DATASET where no item has a vector */
  space(): FittedSpace {
    const { encoder, cache, model } = this.tools;
    const { size } = this.dataset.items;
    if (this.#vectors.length === 0) {
      const why = this.#failures.length === 0 ? '' : ` ${this.#failed} could not be used, first ${this.#failures[0]}.`;
      throw new NighError('EMPTY_DATASET', `image: none of ${size} items has a picture with a vector.${why}`);
    }
    const matrix: Matrix = zeros(this.#vectors.length, encoder.dim);
    for (const [r, { vector }] of this.#vectors.entries()) matrix.data.set(vector, r * encoder.dim);
    const { inputName, preprocessing, ...plan } = model.plan;
    return {
      items: { matrix, ordinals: Uint32Array.from(this.#vectors, ({ ordinal }) => ordinal) },
      model: { ...model, dim: encoder.dim, plan: { inputName, preprocessing, ...withoutUndefined(plan) } },
      notes: {
        model: model.origin,
        input: `${preprocessing.height} × ${preprocessing.width} ${preprocessing.channels}`,
        tensor: model.plan.tensor,
        embedded: this.#embedded,
        fromCache: this.#cached,
        cacheDamaged: cache.damaged,
        withoutPicture: this.#withoutPicture,
        unreadable: this.#failed,
        ...(this.#failed === 0 ? {} : { unreadablePictures: this.#namedFailures() }),
      },
    };
  }

  #namedFailures(): string {
    const more = this.#failed - this.#failures.length;
    return this.#failures.join('; ') + (more > 0 ? `; and ${more} more` : '');
  }

  #prepare(begin: number, count: number): Promise<Prepared[]> {
    const end = Math.min(begin + count, this.dataset.items.size);
    return Promise.all(Array.from({ length: Math.max(0, end - begin) }, (_, i) => this.#prepareOne(begin + i)));
  }

  async #prepareOne(ordinal: number): Promise<Prepared> {
    const { sharp, model, cache, pictures } = this.tools;
    const id = this.dataset.items.term(ordinal);
    try {
      const bytes = await pictures.read(id);
      if (bytes === undefined) return { ordinal };
      const digest = createHash('sha256').update(bytes).digest();
      const vector = cache.get(digest);
      if (vector !== undefined) return { ordinal, digest, vector };
      return { ordinal, digest, pixels: await decodePicture(sharp, bytes, model.plan.preprocessing) };
    } catch (error) {
      if (!(error instanceof NighError) || !pictureFaults.has(error.code)) throw error;
      return { ordinal, failure: `${describe(id)}: ${error.message}` };
    }
  }

  async #embed(prepared: readonly Prepared[]): Promise<void> {
    const { encoder, cache } = this.tools;
    const fresh = prepared.filter(({ pixels }) => pixels !== undefined);
    const vectors = await encoder.encode(fresh.map(({ pixels }) => pixels!));
    const made = new Map(fresh.map(({ ordinal }, i) => [ordinal, vectors[i]]));
    this.#embedded += fresh.length;
    for (const { ordinal, digest, vector = made.get(ordinal), pixels, failure } of prepared) {
      if (vector !== undefined) this.#vectors.push({ ordinal, vector });
      if (digest !== undefined && pixels === undefined && failure === undefined) this.#cached++;
      else if (failure !== undefined) this.#fail(failure);
      else if (pixels !== undefined && vector === undefined) this.#fail(this.#blank(ordinal));
      else if (digest === undefined) this.#withoutPicture++;
    }
    await cache.add(
      fresh.flatMap(({ digest }, i) => {
        const vector = vectors[i];
        return vector === undefined ? [] : [{ digest: digest!, vector }];
      }),
    );
  }

  #blank(ordinal: number): string {
    return `${describe(this.dataset.items.term(ordinal))}: the model gives zeros, or what is not finite.`;
  }

  #fail(failure: string): void {
    this.#failed++;
    if (this.#failures.length < namedFailures) this.#failures.push(failure);
  }
}

/** What is stored has no keys without a value. */
function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<T>;
}
