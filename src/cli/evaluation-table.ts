/** What `nigh evaluate` found, for people. */
import { writeFile } from 'node:fs/promises';
import { NighError } from '../core/errors.js';
import type { RankedRow, RecipeEvaluation } from '../evaluation/evaluate-recipe.js';
import { barChart } from './bar-chart.js';
import { printLine, printTable } from './output.js';

const right = (header: string) => ({ header, align: 'right' as const });

const figure = (value: number | undefined, digits = 4) =>
  value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);

export async function printEvaluation(found: RecipeEvaluation): Promise<void> {
  const { rankingDefinitions, ratingDefinitions, stabilityDefinitions } = await import('../evaluation/definitions.js');
  const { definition, protocol, ranking, ratings } = found;
  await printTuning(found);
  const first = ranking[0]!;
  printLine(`${protocol}: ${definition}; ${first.users} users, ${first.skipped} skipped with nothing to ask for\n`);
  const names = ['HR', 'ARHR', 'NDCG', 'MAP', 'MRR', 'AUC', 'recall', 'precision', 'coverage', 'diversity', 'novelty'];
  printTable(
    [{ header: `model, @${first.k}` }, ...names.map(right), right('retention')],
    ranking.map((row) => [
      row.model,
      ...[row.hitRate, row.arhr, row.ndcg, row.map, row.mrr, row.auc, row.recall, row.precision].map((value) =>
        figure(value),
      ),
      figure(row.coverage, 3),
      figure(row.diversity, 3),
      figure(row.novelty, 0),
      figure(row.retention),
    ]),
  );
  printLine('');
  for (const line of rankingDefinitions(first.k)) printLine(line);
  printRetention(ranking);
  if (ranking.some(({ stability }) => stability !== undefined)) {
    printLine('');
    printTable(
      [{ header: 'lists that move' }, right('responsiveness'), right('churn'), right('users')],
      ranking.flatMap(({ model, stability }) =>
        stability === undefined
          ? []
          : [[model, figure(stability.responsiveness), figure(stability.churn), `${stability.users}`]],
      ),
    );
    printLine('');
    for (const line of stabilityDefinitions(first.k)) printLine(line);
  }
  if (ratings.length === 0) return;
  printLine('');
  printTable(
    [{ header: 'ratings' }, right('RMSE'), right('MAE')],
    ratings.map(({ model, rmse, mae }) => [model, figure(rmse), figure(mae)]),
  );
  printLine('');
  for (const line of ratingDefinitions) printLine(line);
}

async function printTuning({ tuning }: RecipeEvaluation): Promise<void> {
  if (tuning.length === 0) return;
  const { describePoint } = await import('../evaluation/grid-search.js');
  for (const { space, trials } of tuning) {
    const failed = trials.some(({ failure }) => failure !== undefined);
    printTable(
      [
        { header: `${space}, tried on a validation split` },
        right('NDCG'),
        ...(failed ? [{ header: 'failed', flexible: true }] : []),
      ],
      trials.map(({ params, score, failure }) => [describePoint(params), figure(score), failure ?? '']),
    );
    printLine('');
  }
}

/** Through an index / by exact search: in all, and where a mean over all would hide a loss. */
function printRetention(ranking: readonly RankedRow[]): void {
  const indexed = ranking.filter(({ retention }) => retention !== undefined);
  if (indexed.length === 0) return;
  printLine('retention: NDCG through the index / NDCG by exact search\n');
  const tenths = Array.from({ length: 10 }, (_, tenth) => right(`${tenth + 1}`));
  printTable(
    [{ header: 'retention by tenths, 1 the fewest interactions' }, ...tenths],
    indexed.flatMap(({ model, retentionByActivity, retentionByPopularity }) => [
      [`${model}: users`, ...(retentionByActivity ?? []).map((value) => figure(value, 3))],
      [`${model}: items`, ...(retentionByPopularity ?? []).map((value) => figure(value, 3))],
    ]),
  );
}

/** @throws NighError IO */
export async function writePlot(path: string, { recipe, protocol, ranking }: RecipeEvaluation): Promise<void> {
  const group = (title: string, value: (row: RankedRow) => number) => ({
    title,
    bars: ranking.map((row) => ({ label: row.model, value: value(row) })),
  });
  const { k } = ranking[0]!;
  const svg = barChart(`${recipe}, ${protocol}`, [
    group(`NDCG@${k}`, (row) => row.ndcg),
    group(`hit rate@${k}`, (row) => row.hitRate),
    group(`recall@${k}`, (row) => row.recall),
    group('catalogue coverage', (row) => row.coverage),
  ]);
  try {
    await writeFile(path, svg);
  } catch (cause) {
    throw new NighError('IO', `${path}: cannot be written.`, { cause });
  }
}
