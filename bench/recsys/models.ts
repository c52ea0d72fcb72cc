/** The models of the ranking tables: how each is made of parameters, and the grid that its parameters were looked for in. */
import { findEmbedding } from 'nigh/embeddings';
import {
  type CsrMatrix,
  easeRankingTrainer,
  type Grid,
  knnRankingTrainer,
  type RankingModel,
  spaceTrainer,
  type Trainer,
} from 'nigh/evaluation';
import { asDataset } from './as-dataset.js';

export type Params = Readonly<Record<string, unknown>>;

export interface TunedModel {
  /** In the published tables. */
  readonly key: string;
  readonly trainer: (params: Params, matrix: CsrMatrix) => Trainer<RankingModel>;
  readonly grid: Grid;
  readonly coarse: Grid;
}

const space =
  (name: string, embedding: string) =>
  (params: Params, matrix: CsrMatrix): Trainer<RankingModel> => {
    const found = findEmbedding(embedding, embedding);
    const parsed = found.parse(params, embedding);
    const fit = (data: ReturnType<typeof asDataset>, context: Parameters<typeof found.fit>[2]) =>
      found.fit(data, parsed, context);
    return spaceTrainer({ name, embedding, fit }, asDataset(matrix));
  };

/** In the order of the tables. The second grid is for ML-1M, where every trial takes ten times as long. */
export const tunedModels: readonly TunedModel[] = [
  {
    key: 'item KNN',
    trainer: (params) => knnRankingTrainer({ of: 'item', ...params }),
    grid: { k: [25, 50, 100, 200, 400], shrinkage: [0, 10, 50, 200] },
    coarse: { k: [50, 200], shrinkage: [0, 50] },
  },
  {
    key: 'user KNN',
    trainer: (params) => knnRankingTrainer({ of: 'user', ...params }),
    grid: { k: [25, 50, 100, 200, 400], shrinkage: [0, 10, 50, 200] },
    coarse: { k: [50, 100, 200] },
  },
  {
    key: 'EASE',
    trainer: easeRankingTrainer,
    grid: { regularization: [50, 100, 200, 400, 800, 1600] },
    coarse: { regularization: [200, 500, 1000] },
  },
  {
    key: 'PureSVD',
    trainer: space('PureSVD', 'svd'),
    grid: { factors: [8, 12, 16, 24, 32, 48, 64] },
    coarse: { factors: [12, 24, 48, 96] },
  },
  {
    key: 'NMF',
    trainer: space('NMF', 'nmf'),
    grid: { factors: [12, 20, 32, 48, 64], regularization: [0, 0.3, 3], iterations: [30] },
    coarse: { factors: [32, 64], regularization: [0.3, 3], iterations: [20] },
  },
  {
    key: 'BPR',
    trainer: space('BPR', 'bpr'),
    grid: { factors: [32, 64], epochs: [50, 150], learningRate: [0.02], regularization: [0.003, 0.01, 0.03] },
    coarse: { factors: [64], epochs: [50], learningRate: [0.05], regularization: [0.003, 0.01, 0.03] },
  },
  {
    key: 'iALS',
    trainer: space('iALS', 'als'),
    grid: {
      factors: [16, 32, 64],
      iterations: [15],
      unobservedWeight: [0.1, 0.3, 1],
      regularization: [0.001, 0.003, 0.01, 0.03],
    },
    coarse: { factors: [64, 128], iterations: [15], unobservedWeight: [0.1, 0.3], regularization: [0.003, 0.01] },
  },
];
