/**
 * Whole requests of a Retriever, each stage apart: fold-in, search, scoring, re-ranking, filtering. The kinds of requests take turns, so that the
 * machine's drift falls on all alike; every request is another one, and what a first request of its kind sets up is asked for before.
 *
 *     npm run bench -- retrieval [directory of a collection] [--queries n] [--json file]
 *
 * Without a directory the collection of the npm dependency graph is taken from `indexes/npm-packages`, and built there first where it is missing.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Answer, buildCollection, loadRecipe, type Question, Retriever, type StageName } from 'nigh';
import { Random } from './datasets/random.js';
import type { BenchOptions } from './options.js';
import { say } from './report/say.js';
import { textTable } from './report/text-table.js';

const npmPackages = join(dirname(fileURLToPath(import.meta.url)), '../../indexes/npm-packages');
const stageNames: readonly StageName[] = ['question', 'candidates', 'scoring', 'reranking', 'filtering'];
const picksOfNewcomer = 5;
const warmUp = 20;

/** What is asked, of an item and a few more, drawn anew for each request. */
const kinds: Readonly<Record<string, (items: readonly string[]) => Question>> = {
  'similar items': ([item]) => ({ item: item! }),
  'similar items, exact': ([item]) => ({ item: item!, exact: true }),
  'newcomer of 5 picks': (items) => ({ history: picks(items) }),
  '… filtered by where': (items) => ({ history: picks(items), where: 'dependents >= 20' }),
  '… and re-ranked': (items) => ({
    history: picks(items),
    where: 'dependents >= 20',
    diversity: 0.3,
    popularity: -0.1,
  }),
  'two spaces blended': ([item]) => ({ item: item!, weights: { cf: 0.7, text: 0.3 } }),
  '… filtered, re-ranked': ([item]) => ({
    item: item!,
    weights: { cf: 0.7, text: 0.3 },
    where: 'dependents >= 20',
    diversity: 0.3,
  }),
};

export async function retrieval({ collection, queries, json }: BenchOptions): Promise<void> {
  const directory = collection ?? npmPackages;
  if (collection === undefined && !existsSync(join(directory, 'CURRENT'))) {
    say(`Building ${directory} …`);
    await buildCollection(await loadRecipe(join(directory, 'recipe.json')), directory);
  }
  await using retriever = await Retriever.open(directory);
  const { name, items, users, spaces } = retriever.info;
  say(
    `${name}: ${items.toLocaleString('en')} items, ${users.toLocaleString('en')} users; spaces ${spaces.map((space) => space.name).join(', ')}; k 10`,
  );
  const usable = Object.entries(kinds).filter(([, ask]) => fits(retriever, ask(['x', 'x'])));
  const pool = retriever
    .findItems('', { limit: 10_000 })
    .filter((item) => spaces.every((space) => item.spaces.includes(space.name)))
    .map(({ id }) => id);
  const answers = new Map(usable.map(([kind]) => [kind, [] as Answer['stats'][]]));
  const random = new Random(5);
  const draw = () => Array.from({ length: picksOfNewcomer }, () => pool[random.below(pool.length)]!);
  for (let round = -warmUp; round < queries; round++) {
    const drawn = draw();
    for (const [kind, ask] of usable) {
      const { stats } = await retriever.query(ask(drawn));
      if (round >= 0) answers.get(kind)!.push(stats);
    }
  }
  const rows = [...answers].map(([kind, stats]) => [
    kind,
    ...[stats.map(({ tookMs }) => tookMs), ...stageNames.map((stage) => stats.map(({ stages }) => stages[stage]))].map(
      (times) => `${percentile(times, 0.5).toFixed(2)} / ${percentile(times, 0.99).toFixed(2)}`,
    ),
  ]);
  say(`${queries.toLocaleString('en')} requests of each kind, one after the other; milliseconds, p50 / p99`);
  process.stdout.write(textTable(['request', 'whole', ...stageNames], rows));
  if (json !== undefined) {
    const figures = [...answers].map(([kind, stats]) => ({
      kind,
      whole: summary(stats.map(({ tookMs }) => tookMs)),
      stages: Object.fromEntries(stageNames.map((stage) => [stage, summary(stats.map(({ stages }) => stages[stage]))])),
    }));
    await writeFile(json, `${JSON.stringify({ collection: retriever.info, queries, figures }, null, 2)}\n`);
  }
}

/** Whether the collection has what the question names. */
function fits({ info }: Retriever, { weights, where }: Question): boolean {
  const known = info.spaces.map(({ name }) => name);
  return (
    (where === undefined || info.name === 'npm-packages') &&
    Object.keys(weights ?? {}).every((name) => known.includes(name))
  );
}

function picks(items: readonly string[]): { item: string }[] {
  return items.map((item) => ({ item }));
}

function summary(times: readonly number[]): { p50: number; p99: number } {
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

function percentile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
