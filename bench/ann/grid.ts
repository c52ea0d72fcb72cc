/**
 * Grids: what a run measures, as data. A file of bench/grids/ or any other:
 *
 *     {
 *       "about": "…",
 *       "queries": 1000, "repeats": 5, "secondsPerPoint": 0.5,
 *       "threads": [2, 1], "openings": 3,
 *       "baseline": "hnswlib-node",
 *       "efforts": [10, 20, 40, …],
 *       "algorithms": { "<key>": { "engine": "nigh-hnsw", "build": { "M": 16 }, "efforts": […], "threads": [2], "label": "…" } },
 *       "datasets": [{ "name": "glove-6b-100d", "algorithms": ["<key>", …], "filters": [0.1, 0.01], "exact": true, "changes": 100000 }]
 *     }
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AlgorithmSpec } from '../algorithms/algorithm.js';
import { repositoryFolder } from '../algorithms/installed.js';
import type { DatasetReference } from '../datasets/registry.js';

export interface GridAlgorithm extends AlgorithmSpec {
  readonly efforts: readonly number[];
  /** Threads of its builds, where they are not those of the dataset. */
  readonly threads?: readonly number[] | undefined;
}

export interface GridDataset extends DatasetReference {
  readonly rows?: number | undefined;
  /** Threads of builds; the index of the first is searched. */
  readonly threads: readonly number[];
  readonly algorithms: readonly GridAlgorithm[];
  /** Shares of allowed rows. */
  readonly filters: readonly number[];
  /** Whether exact search is measured beside it. */
  readonly exact: boolean;
  /** Rows on which searching while writing and after deleting is measured; 0 for not. */
  readonly changes: number;
}

/** How a grid measures, whatever the dataset. */
export interface GridMeasures {
  readonly queries: number;
  readonly repeats: number;
  /** A point asks no more queries a round than fit. */
  readonly secondsPerPoint: number;
  /** How often each index is opened in each way; the medians count. */
  readonly openings: number;
  readonly baseline: string;
}

export interface Grid extends GridMeasures {
  readonly name: string;
  readonly datasets: readonly GridDataset[];
}

interface GridFile {
  readonly about: string;
  readonly queries: number;
  readonly repeats: number;
  readonly secondsPerPoint: number;
  readonly threads: readonly number[];
  readonly openings: number;
  readonly baseline: string;
  readonly efforts: readonly number[];
  readonly algorithms: Readonly<
    Record<
      string,
      {
        readonly engine: string;
        readonly build?: Readonly<Record<string, unknown>>;
        readonly efforts?: readonly number[];
        readonly threads?: readonly number[];
        readonly label?: string;
      }
    >
  >;
  readonly datasets: readonly (DatasetReference & {
    readonly rows?: number;
    readonly threads?: readonly number[];
    readonly algorithms?: readonly string[];
    readonly filters?: readonly number[];
    readonly exact?: boolean;
    readonly changes?: number;
  })[];
}

const keys = {
  file: [
    'about',
    'queries',
    'repeats',
    'secondsPerPoint',
    'threads',
    'openings',
    'baseline',
    'efforts',
    'algorithms',
    'datasets',
  ],
  algorithm: ['engine', 'build', 'efforts', 'threads', 'label'],
  dataset: ['name', 'metric', 'rows', 'threads', 'algorithms', 'filters', 'exact', 'changes'],
};

/**
 * @param name of a file of bench/grids/ without its ending, or a path
 * @throws Error where there is no such file, or something in it is not known
 */
export function readGrid(name: string): Grid {
  const path = name.endsWith('.json') ? name : join(repositoryFolder(), 'bench', 'grids', `${name}.json`);
  const file = JSON.parse(readFileSync(path, 'utf8')) as GridFile;
  requireKeys(path, file, keys.file);
  for (const algorithm of Object.values(file.algorithms)) requireKeys(path, algorithm, keys.algorithm);
  const algorithm = (key: string): GridAlgorithm => {
    const found = file.algorithms[key];
    if (found === undefined) throw new Error(`${path}: there is no algorithm ${key}`);
    const { engine, build = {}, efforts = file.efforts, threads, label } = found;
    return { key, engine, build, efforts, threads, label };
  };
  const { queries, repeats, secondsPerPoint, threads, openings, baseline } = file;
  algorithm(baseline);
  return {
    name: name.endsWith('.json') ? path : name,
    queries,
    repeats,
    secondsPerPoint,
    openings,
    baseline,
    datasets: file.datasets.map((dataset) => {
      requireKeys(path, dataset, keys.dataset);
      const { algorithms = Object.keys(file.algorithms), filters = [], exact = false, changes = 0, ...rest } = dataset;
      return { threads, ...rest, algorithms: algorithms.map(algorithm), filters, exact, changes };
    }),
  };
}

/** What a person asked for instead of what the grid says. */
export interface GridChanges {
  readonly datasets: readonly DatasetReference[];
  readonly algorithms: readonly string[] | undefined;
  readonly queries: number | undefined;
  readonly rows: number | undefined;
  readonly repeats: number | undefined;
  readonly threads: readonly number[] | undefined;
}

/**
 * The grid with other datasets, fewer algorithms, other counts. A dataset that the grid does not have is measured as its first.
 * @throws Error for an algorithm that the grid does not have
 */
export function changedGrid(grid: Grid, changes: GridChanges): Grid {
  const { datasets, algorithms, queries, rows, repeats, threads } = changes;
  const first = grid.datasets[0]!;
  const all = new Map(grid.datasets.flatMap((dataset) => dataset.algorithms.map((each) => [each.key, each] as const)));
  const strange = algorithms?.find((key) => !all.has(key));
  if (strange !== undefined)
    throw new Error(`the grid has no algorithm ${strange}; it has: ${[...all.keys()].join(', ')}`);
  const chosen =
    datasets.length === 0
      ? grid.datasets
      : datasets.map((wanted) => {
          const known = grid.datasets.find(({ name }) => name === wanted.name);
          return known ?? { ...first, ...wanted, rows: undefined };
        });
  return {
    ...grid,
    queries: queries ?? grid.queries,
    repeats: repeats ?? grid.repeats,
    datasets: chosen.map((dataset) => ({
      ...dataset,
      rows: rows ?? dataset.rows,
      threads: threads ?? dataset.threads,
      algorithms: algorithms === undefined ? dataset.algorithms : algorithms.map((key) => all.get(key)!),
    })),
  };
}

function requireKeys(path: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`${path}: ${unknown} is not known; known here: ${known.join(', ')}`);
}
