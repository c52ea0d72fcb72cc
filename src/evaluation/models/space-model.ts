/**
 * Spaces as models that rank: fitted to a split's training part, asked as a Retriever asks them, by exact search or through an index.
 *
 * A user of a space with user vectors has the fitted one, or under strong generalisation is folded in from the history; in a space of items
 * only, a user is the mean direction of the items of the history. Where neither is to be had, nothing is recommended.
 */
import { sparseProduct } from '../../binding/train-linear.js';
import { CsrMatrix } from '../../core/csr-matrix.js';
import { type Matrix, row, zeros } from '../../core/matrix.js';
import { Vocabulary } from '../../core/vocabulary.js';
import type { Dataset } from '../../data/dataset.js';
import type { FittedSpace, HistoryFolder, FitContext as SpaceContext } from '../../embeddings/embedding.js';
import { findEmbedding } from '../../embeddings/registry.js';
import { IdSet } from '../../index/id-set.js';
import { buildIndex } from '../../retrieval/build-index.js';
import type { IndexSettings } from '../../retrieval/recipe.js';
import type { FitContext, RankingModel, RankingQuestion, Trainer } from '../model.js';

/** What a space is trained from: a space of a recipe, or an embedding with parsed parameters. */
export interface TrainableSpace {
  readonly name: string;
  /** Name of the embedding. */
  readonly embedding: string;
  fit(dataset: Dataset, context: SpaceContext): Promise<FittedSpace>;
}

/** Ranks by comparing with every item. @param dataset whose items these are; its interactions are replaced by those of the split */
export function spaceTrainer(space: TrainableSpace, dataset: Dataset): Trainer<RankingModel> {
  return {
    name: space.name,
    fit: async (train, context) => {
      const asked = new Asked(space, await fitTo(space, dataset, train, context));
      return {
        scores: async (question) => {
          const vectors: (Float32Array | undefined)[] = [];
          for (let r = 0; r < question.histories.rows; r++) vectors.push(await asked.vector(question, r));
          return asked.scores(vectors, train.cols, context);
        },
      };
    },
  };
}

export interface ApproximateOptions {
  readonly index: IndexSettings;
  /** Items asked for: those beyond have no score. At least the length of the lists. */
  readonly k: number;
}

/**
 * Ranks through the index that the space would be served by, with what the user has filtered out in the search. Compared with
 * `spaceTrainer` on the same splits this is the loss by approximate search: retention = its NDCG / that of exact search.
 */
export function approximateSpaceTrainer(
  space: TrainableSpace,
  dataset: Dataset,
  { index: settings, k }: ApproximateOptions,
): Trainer<RankingModel> {
  return {
    name: `${space.name}, through ${settings.kind}`,
    fit: async (train, context) => {
      const asked = new Asked(space, await fitTo(space, dataset, train, context));
      const { signal } = context;
      const index = await buildIndex({ matrix: asked.items, ordinals: asked.ordinals }, asked.metric, settings, {
        threads: context.threads ?? 0,
        signal,
        onProgress: () => {},
      });
      const efSearch = 'efSearch' in settings ? settings.efSearch : undefined;
      return {
        scores: async (question) => {
          const scores = zeros(question.histories.rows, train.cols).data.fill(Number.NEGATIVE_INFINITY);
          for (let r = 0; r < question.histories.rows; r++) {
            const vector = await asked.vector(question, r);
            if (vector === undefined || vector.every((value) => value === 0)) continue;
            const found = await index.search(vector, k, {
              filter: IdSet.deny(question.histories.row(r).columns),
              ...(efSearch === undefined ? {} : { efSearch: Math.max(efSearch, k) }),
              ...(signal === undefined ? {} : { signal }),
            });
            found.ids.forEach((item, at) => {
              scores[r * train.cols + item] = -found.distances[at]!;
            });
          }
          return { data: scores, rows: question.histories.rows, dim: train.cols };
        },
      };
    },
  };
}

function fitTo(space: TrainableSpace, dataset: Dataset, train: CsrMatrix, context: FitContext): Promise<FittedSpace> {
  // Under strong generalisation training has fewer users; which they were does not matter to a fit.
  const users =
    train.rows === dataset.users.size
      ? dataset.users
      : new Vocabulary(Array.from({ length: train.rows }, (_, user) => `${user}`));
  const { timestamps: _, ...rest } = dataset;
  const times = timesOf(train, dataset);
  const { signal, threads } = context;
  return space.fit(
    { ...rest, users, interactions: train, ...(times === undefined ? {} : { timestamps: times }) },
    { ...(signal === undefined ? {} : { signal }), ...(threads === undefined ? {} : { threads }) },
  );
}

/** When the interactions of a training part were; not known under strong generalisation, nor of what the dataset has not. */
function timesOf(train: CsrMatrix, { interactions, timestamps }: Dataset): Float64Array | undefined {
  if (timestamps === undefined || train.rows !== interactions.rows) return undefined;
  const times = new Float64Array(train.entries);
  for (let user = 0; user < train.rows; user++) {
    let from = interactions.offsets[user]!;
    for (let e = train.offsets[user]!; e < train.offsets[user + 1]!; e++) {
      while (from < interactions.offsets[user + 1]! && interactions.columns[from] !== train.columns[e]) from++;
      if (from === interactions.offsets[user + 1]) return undefined;
      times[e] = timestamps[from]!;
    }
  }
  return times;
}

/** A fitted space, as far as ranking needs it. */
class Asked {
  readonly items: Matrix;
  readonly ordinals: Uint32Array;
  readonly metric: 'ip' | 'cosine';
  readonly #users: Matrix | undefined;
  /** By user ordinal the row of #users, by item ordinal that of items; −1 for none. */
  readonly #userRows: Int32Array;
  readonly #itemRows: Int32Array;
  readonly #fold: HistoryFolder | undefined;
  /** The items, one a column. */
  #columns: Matrix | undefined;

  constructor(space: TrainableSpace, { items, likeness, users, model }: FittedSpace) {
    this.ordinals = items.ordinals;
    this.items = users === undefined ? unitRows(likeness ?? items.matrix) : items.matrix;
    this.metric = users === undefined ? 'cosine' : 'ip';
    this.#users = users?.matrix;
    this.#userRows = places(users?.ordinals ?? new Uint32Array(0));
    this.#itemRows = places(items.ordinals);
    this.#fold = users === undefined ? undefined : findEmbedding(space.embedding, space.name).openFolder?.(model);
  }

  async vector({ users, histories }: RankingQuestion, r: number): Promise<Float32Array | undefined> {
    if (this.#users !== undefined && users !== undefined) {
      const place = this.#userRows[users[r]!] ?? -1;
      return place < 0 ? undefined : row(this.#users, place);
    }
    const items = histories.row(r).columns.filter((item) => (this.#itemRows[item] ?? -1) >= 0);
    const rows = items.map((item) => this.#itemRows[item]!);
    if (rows.length === 0) return undefined;
    if (this.#users === undefined) return this.#meanDirection(rows);
    const vectors = zeros(rows.length, this.items.dim);
    rows.forEach((place, at) => {
      vectors.data.set(row(this.items, place), at * vectors.dim);
    });
    return this.#fold?.({ items, vectors, weights: new Float32Array(rows.length).fill(1) });
  }

  /** Users × all items: inner products where the user has a vector and the item, −Infinity elsewhere. */
  async scores(
    vectors: readonly (Float32Array | undefined)[],
    items: number,
    { signal, threads }: FitContext,
  ): Promise<Matrix> {
    const scores = zeros(vectors.length, items);
    scores.data.fill(Number.NEGATIVE_INFINITY);
    const known = vectors.flatMap((vector, r) => (vector === undefined ? [] : [r]));
    const users = zeros(known.length, this.items.dim);
    known.forEach((r, at) => {
      users.data.set(vectors[r]!, at * users.dim);
    });
    this.#columns ??= transposed(this.items);
    const products = await sparseProduct(allEntries(users), this.#columns, { signal, threads });
    known.forEach((r, at) => {
      this.ordinals.forEach((item, place) => {
        scores.data[r * items + item] = products.data[at * products.dim + place]!;
      });
    });
    return scores;
  }

  #meanDirection(rows: Uint32Array): Float32Array {
    const sum = new Float32Array(this.items.dim);
    for (const place of rows) {
      const item = row(this.items, place);
      for (let d = 0; d < sum.length; d++) sum[d] = sum[d]! + item[d]!;
    }
    return sum;
  }
}

/** A dense matrix as a sparse one, for the native product. */
function allEntries({ data, rows, dim }: Matrix): CsrMatrix {
  const offsets = Uint32Array.from({ length: rows + 1 }, (_, r) => r * dim);
  const columns = Uint32Array.from({ length: data.length }, (_, at) => at % dim);
  return new CsrMatrix(rows, dim, offsets, columns, data);
}

function transposed({ data, rows, dim }: Matrix): Matrix {
  const out = zeros(dim, rows);
  for (let r = 0; r < rows; r++) for (let d = 0; d < dim; d++) out.data[d * rows + r] = data[r * dim + d]!;
  return out;
}

function unitRows({ data, rows, dim }: Matrix): Matrix {
  const unit = zeros(rows, dim);
  for (let r = 0; r < rows; r++) {
    const begin = r * dim;
    let squares = 0;
    for (let at = begin; at < begin + dim; at++) squares += data[at]! ** 2;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let at = begin; at < begin + dim; at++) unit.data[at] = data[at]! * scale;
  }
  return unit;
}

/** By ordinal its position, −1 for those that are not there. */
function places(ordinals: Uint32Array): Int32Array {
  const last = ordinals[ordinals.length - 1];
  const found = new Int32Array(last === undefined ? 0 : last + 1).fill(-1);
  ordinals.forEach((ordinal, at) => {
    found[ordinal] = at;
  });
  return found;
}
