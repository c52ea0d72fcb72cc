/** tuned.json: the parameters of the tables, and how they were found. `npm run bench:recsys -- tune-100k …` finds them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CsrMatrix, describePoint, evaluateRanking, gridSearch, type RankingResult, type Split } from 'nigh/evaluation';
import { say } from '../report/say.js';
import { type Params, tunedModels } from './models.js';

interface Tuned {
  /** How the parameters were chosen, in words. */
  readonly found: string;
  readonly models: Readonly<Record<string, { readonly params: Params; readonly score: number }>>;
}

// The compiled module is in build/bench/recsys; the data stays with the sources.
const file = fileURLToPath(new URL('../../../bench/recsys/tuned.json', import.meta.url));

const readAll = (): Record<string, Tuned> => JSON.parse(readFileSync(file, 'utf8'));

/** The parameters for a table; those that were not looked for are the defaults. */
export function tunedParams(table: string, key: string): Params {
  return readAll()[table]?.models[key]?.params ?? {};
}

export function howFound(table: string): string {
  return readAll()[table]?.found ?? 'parameters are the defaults';
}

/** Every n-th asked user of a split: enough to choose by, and the rest of the time is for training. */
export function everyNth(split: Split, n: number): Split {
  const test = split.test;
  const kept = { rows: [] as number[], columns: [] as number[], values: [] as number[] };
  for (let row = 0; row < test.rows; row += n) {
    for (let e = test.offsets[row]!; e < test.offsets[row + 1]!; e++) {
      kept.rows.push(row);
      kept.columns.push(test.columns[e]!);
      kept.values.push(test.values[e]!);
    }
  }
  return {
    ...split,
    definition: `${split.definition}, of every ${n}th user`,
    test: CsrMatrix.fromTriplets({ rows: test.rows, cols: test.cols }, kept),
  };
}

/** Looks for the parameters of every model (or of the named ones) and keeps them. */
export async function tune(
  table: string,
  matrix: CsrMatrix,
  validation: Split,
  by: {
    readonly k: number;
    readonly metric: 'ndcg' | 'uncutNdcg' | 'recall';
    readonly label: string;
    readonly grid: 'grid' | 'coarse';
  },
): Promise<void> {
  const seed = 42;
  const wanted = process.env.NIGH_TUNE?.split(',');
  for (const { key, trainer, [by.grid]: grid } of tunedModels) {
    if (wanted !== undefined && !wanted.includes(key)) continue;
    const { best, trials } = await gridSearch(grid, async (params) => {
      const found: RankingResult = await evaluateRanking(trainer(params, matrix), [validation], { seed, k: by.k });
      say(
        `${table}, ${key}: ${describePoint(params)}  ${found[by.metric].toFixed(4)}  ${found.fitSeconds.toFixed(1)} s`,
      );
      return found[by.metric];
    });
    const all = readAll();
    const found = `grid search by ${by.label} on a validation split of the training part: ${validation.definition}`;
    const score = Number(best.score.toFixed(4));
    all[table] = { found, models: { ...all[table]?.models, [key]: { params: best.params, score } } };
    writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
    say(`${table}, ${key}: best of ${trials.length} is ${describePoint(best.params)}`);
  }
}
