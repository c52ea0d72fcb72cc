/** What ranks items that nobody has chosen: rows of the table of cold start, all fitted to a training part alone. */
import {
  type Column,
  type Content,
  type Dataset,
  type FittedSpace,
  findEmbedding,
  type Matrix,
  zeros,
} from 'nigh/embeddings';
import type { CsrMatrix, RankingModel, Trainer } from 'nigh/evaluation';
import { Vocabulary } from 'nigh/evaluation';

export const rowOf = ({ data, dim }: Matrix, r: number) => data.subarray(r * dim, (r + 1) * dim);

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}

/** A space fitted to the items that have interactions; the others are embedded into it afterwards, as new items are. */
export async function contentSpace(
  dataset: Dataset,
  train: CsrMatrix,
  parts: Readonly<Record<string, { embedding: string; params: Record<string, unknown>; weight: number }>>,
): Promise<FittedSpace> {
  const counts = train.columnCounts();
  const warm = Array.from(counts.keys()).filter((item) => counts[item]! > 0);
  const kept = <T>(values: readonly T[]) => warm.map((item) => values[item]!);
  const items = new Vocabulary(kept(dataset.items.terms));
  const columns = new Map(
    [...dataset.columns].map(([name, column]) => [name, { ...column, values: kept<unknown>(column.values) } as Column]),
  );
  // What content says does not depend on users.
  const subset = { ...dataset, items, titles: kept(dataset.titles), columns };
  const blocks: Matrix[] = [];
  for (const [name, { embedding, params, weight }] of Object.entries(parts)) {
    const found = findEmbedding(embedding, name);
    const fitted = await found.fit(subset, found.parse(params, name) as never, {});
    const embedder = await found.openEmbedder!(fitted.model);
    const block = zeros(dataset.items.size, embedder.dim);
    for (let item = 0; item < dataset.items.size; item++) {
      const vector = await embedder.embed(contentOf(dataset, item));
      if (vector === undefined) continue;
      const scale = Math.sqrt(weight) / Math.hypot(...vector);
      block.data.set(
        vector.map((value) => scale * value),
        item * block.dim,
      );
    }
    blocks.push(block);
  }
  const matrix = zeros(
    dataset.items.size,
    blocks.reduce((sum, { dim }) => sum + dim, 0),
  );
  let offset = 0;
  for (const block of blocks) {
    for (let item = 0; item < matrix.rows; item++) matrix.data.set(rowOf(block, item), item * matrix.dim + offset);
    offset += block.dim;
  }
  return { items: { matrix, ordinals: Uint32Array.from(dataset.items.terms.keys()) }, model: {}, notes: {} };
}

function contentOf({ titles, columns }: Dataset, item: number): Content {
  const attributes = Object.fromEntries([...columns].map(([name, { values }]) => [name, values[item]]));
  return { title: titles[item]!, attributes };
}

/** By item the k most alike of the items that have interactions, and their cosines. */
function nearestWarm(content: Matrix, train: CsrMatrix, k: number): { item: number; cosine: number }[][] {
  const counts = train.columnCounts();
  const lengths = Array.from({ length: content.rows }, (_, item) => Math.hypot(...rowOf(content, item)) || 1);
  const warm = Array.from(counts.keys()).filter((item) => counts[item]! > 0);
  return Array.from({ length: content.rows }, (_, item) => {
    const own = rowOf(content, item);
    return warm
      .filter((other) => other !== item)
      .map((other) => ({ item: other, cosine: dot(own, rowOf(content, other)) / lengths[item]! / lengths[other]! }))
      .sort((a, b) => b.cosine - a.cosine)
      .slice(0, k);
  });
}

/** Score of an item: the sum of its cosines with those of the k most alike that the user has. */
export function contentKnn(name: string, content: () => Promise<FittedSpace>, k: number): Trainer<RankingModel> {
  return {
    name: `${name}, k = ${k}`,
    fit: async (train) => {
      const neighbours = nearestWarm((await content()).items.matrix, train, k);
      return {
        scores: async ({ histories }) => {
          const scores = zeros(histories.rows, train.cols);
          const has = new Uint8Array(train.cols);
          for (let r = 0; r < scores.rows; r++) {
            const own = histories.row(r).columns;
            for (const item of own) has[item] = 1;
            neighbours.forEach((list, item) => {
              let sum = 0;
              for (const near of list) if (has[near.item] === 1) sum += near.cosine;
              scores.data[r * scores.dim + item] = sum;
            });
            for (const item of own) has[item] = 0;
          }
          return scores;
        },
      };
    },
  };
}

/** Score of an item: its cosine with the mean direction of what the user has, as a collection asks a space of content. */
export function contentTaste(content: () => Promise<FittedSpace>): Trainer<RankingModel> {
  return {
    name: 'taste in the content space',
    fit: async (train) => {
      const { matrix } = (await content()).items;
      const unit = zeros(matrix.rows, matrix.dim);
      for (let item = 0; item < matrix.rows; item++) {
        const length = Math.hypot(...rowOf(matrix, item)) || 1;
        unit.data.set(
          rowOf(matrix, item).map((value) => value / length),
          item * matrix.dim,
        );
      }
      return {
        scores: async ({ histories }) => {
          const scores = zeros(histories.rows, train.cols);
          for (let r = 0; r < scores.rows; r++) {
            const taste = new Float32Array(matrix.dim);
            for (const item of histories.row(r).columns) {
              const vector = rowOf(unit, item);
              for (let d = 0; d < taste.length; d++) taste[d]! += vector[d]!;
            }
            for (let item = 0; item < train.cols; item++)
              scores.data[r * train.cols + item] = dot(taste, rowOf(unit, item));
          }
          return scores;
        },
      };
    },
  };
}

/** The mean over an item's genres of how often a film of the genre was chosen: the same list for everybody. */
export function genrePopularity(dataset: Dataset): Trainer<RankingModel> {
  const genres = dataset.columns.get('genres')!.values as readonly (readonly string[])[];
  return {
    name: 'popularity of genre',
    fit: async (train) => {
      const counts = train.columnCounts();
      const sums = new Map<string, { chosen: number; films: number }>();
      genres.forEach((names, item) => {
        for (const name of names) {
          const sum = sums.get(name) ?? { chosen: 0, films: 0 };
          if (counts[item]! > 0) sums.set(name, { chosen: sum.chosen + counts[item]!, films: sum.films + 1 });
        }
      });
      const scores = genres.map((names) => {
        const means = names.map((name) => sums.get(name)).map((sum) => (sum ? sum.chosen / sum.films : 0));
        return means.reduce((sum, mean) => sum + mean, 0) / means.length;
      });
      return {
        scores: async ({ histories }) => ({
          data: Float32Array.from({ length: histories.rows * train.cols }, (_, at) => scores[at % train.cols]!),
          rows: histories.rows,
          dim: train.cols,
        }),
      };
    },
  };
}

/** `als` with its parameters, trained on a split. */
export function fitAls(
  dataset: Dataset,
  train: CsrMatrix,
  params: Readonly<Record<string, unknown>>,
  content?: FittedSpace,
): Promise<FittedSpace> {
  const als = findEmbedding('als', 'als');
  const spaces = new Map(content === undefined ? [] : [['content', content]]);
  const parsed = als.parse({ ...params, ...(content === undefined ? {} : { features: 'content' }) }, 'als') as never;
  return als.fit({ ...dataset, interactions: train }, parsed, { spaces });
}

/** Scores by inner product of fitted users and items; items without a vector come last. */
export function factorModel(users: FittedSpace['items'], items: FittedSpace['items'], catalogue: number): RankingModel {
  const place = new Map(Array.from(users.ordinals, (user, r) => [user, r]));
  return {
    scores: async ({ users: asked, histories }) => {
      const scores = zeros(histories.rows, catalogue);
      scores.data.fill(Number.NEGATIVE_INFINITY);
      for (let r = 0; r < scores.rows; r++) {
        const at = place.get(asked![r]!);
        if (at === undefined) continue;
        const p = rowOf(users.matrix, at);
        items.ordinals.forEach((item, q) => {
          scores.data[r * catalogue + item] = dot(p, rowOf(items.matrix, q));
        });
      }
      return scores;
    },
  };
}

export function alsTrainer(
  name: string,
  dataset: Dataset,
  params: Readonly<Record<string, unknown>>,
  content?: () => Promise<FittedSpace>,
): Trainer<RankingModel> {
  return {
    name,
    fit: async (train) => {
      const { users, items } = await fitAls(dataset, train, params, await content?.());
      return factorModel(users!, items, train.cols);
    },
  };
}

/** Cold items at the mean of the factors of the k most alike, by their cosines. */
export function knnMap(
  dataset: Dataset,
  params: Readonly<Record<string, unknown>>,
  content: () => Promise<FittedSpace>,
  k: number,
): Trainer<RankingModel> {
  return {
    name: `KNN map, k = ${k}`,
    fit: async (train) => {
      const { users, items } = await fitAls(dataset, train, params);
      const neighbours = nearestWarm((await content()).items.matrix, train, k);
      const { dim } = items.matrix;
      const matrix = zeros(train.cols, dim);
      items.ordinals.forEach((item, r) => {
        matrix.data.set(rowOf(items.matrix, r), item * dim);
      });
      const known = new Set(items.ordinals);
      neighbours.forEach((list, item) => {
        if (known.has(item)) return;
        const near = list.filter((each) => known.has(each.item) && each.cosine > 0);
        const sum = near.reduce((total, { cosine }) => total + cosine, 0) || 1;
        const target = rowOf(matrix, item);
        for (const each of near) {
          const q = rowOf(matrix, each.item);
          for (let d = 0; d < dim; d++) target[d]! += (each.cosine / sum) * q[d]!;
        }
      });
      return factorModel(users!, { matrix, ordinals: Uint32Array.from(dataset.items.terms.keys()) }, train.cols);
    },
  };
}

/** Trained without the cold items, which are folded in by who chose them since, towards their features where there is a content space. */
export function foldedItems(
  name: string,
  dataset: Dataset,
  warm: CsrMatrix,
  params: Readonly<Record<string, unknown>>,
  content?: () => Promise<FittedSpace>,
): Trainer<RankingModel> {
  let fitted: Promise<FittedSpace> | undefined;
  return {
    name,
    fit: async (train) => {
      const features = await content?.();
      fitted ??= fitAls(dataset, warm, params, features);
      const { users, items, model } = await fitted;
      const fold = findEmbedding('als', 'als').openAudienceFolder!(model);
      const counts = warm.columnCounts();
      const byItem = train.transpose();
      const place = new Map(Array.from(users!.ordinals, (user, r) => [user, r]));
      const { dim } = items.matrix;
      const known = new Map(Array.from(items.ordinals, (item, r) => [item, rowOf(items.matrix, r)]));
      for (let item = 0; item < train.cols; item++) {
        const fans = Array.from(byItem.row(item).columns, (user) => place.get(user)).filter((r) => r !== undefined);
        if (counts[item]! > 0 || fans.length === 0) continue;
        const vectors = zeros(fans.length, dim);
        fans.forEach((r, at) => {
          vectors.data.set(rowOf(users!.matrix, r), at * dim);
        });
        const audience = { vectors, weights: new Float32Array(fans.length).fill(1) };
        known.set(item, await fold(audience, features && rowOf(features.items.matrix, item)));
      }
      const ordinals = Uint32Array.from(known.keys()).sort();
      const matrix = zeros(ordinals.length, dim);
      ordinals.forEach((item, r) => {
        matrix.data.set(known.get(item)!, r * dim);
      });
      return factorModel(users!, { matrix, ordinals }, train.cols);
    },
  };
}
