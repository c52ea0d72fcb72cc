import type { Command } from 'commander';
import type { Push, PushStep } from '../../postgres/push-collection.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';
import { printJson, printLine, say } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, counted, duration } from '../quantities.js';

interface PushOptions {
  readonly to: string;
  readonly keep: number;
  readonly m: number;
  readonly efConstruction: number;
  readonly json: boolean;
}

const steps: Readonly<Record<PushStep, string>> = {
  items: 'loading items',
  users: 'loading users',
  interactions: 'loading interactions',
  files: 'loading models',
  vectors: 'loading',
  graph: 'building the graph of',
  recall: 'measuring the recall of',
  switch: 'switching',
};

/** `nigh push`: a collection into PostgreSQL with pgvector. */
export function addPushCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('push')
    .description('loads the live generation of a collection into PostgreSQL with pgvector, and switches to it')
    .argument('<collection>', 'name of a built collection, or its directory')
    .requiredOption('--to <url>', 'postgres://user@host:5432/database; the password from PGPASSWORD or ~/.pgpass')
    .option('--keep <n>', 'generations to keep in the database', wholeNumber('--keep', 1, 1000), 2)
    .option('--m <n>', 'links of a row in the graphs', wholeNumber('--m', 2, 100), 16)
    .option('--ef-construction <n>', 'pool while the graphs are built', wholeNumber('--ef-construction', 4, 1000), 200)
    .option('--json', 'what was pushed as one JSON document', false)
    .addHelpText(
      'after',
      `
The views of the schema nigh_<collection> show the old generation until the new one is loaded, and its recall measured; then all of them
switch in one transaction. A push that ends before leaves them as they were; the next one clears what it left.

Example:
  $ nigh push movies --to postgres://loader@db.example/shop
  $ nigh serve 'postgres://app@db.example/shop?collection=movies'`,
    )
    .action((wanted: string, options: PushOptions) => push(wanted, options, context));
}

async function push(wanted: string, options: PushOptions, { signal }: CommandContext): Promise<void> {
  const { pushCollection } = await import('../../postgres/push-collection.js');
  const directory = collectionDirectory(wanted);
  const progress = new Progress();
  await progress.prepare();
  let shown = '';
  const onProgress = (step: PushStep, what: string, done: number, total: number) => {
    const title = step === 'vectors' || step === 'graph' || step === 'recall' ? `${steps[step]} ${what}` : steps[step];
    if (title !== shown) {
      if (shown !== '') progress.end();
      progress.begin(title);
      shown = title;
    }
    progress.update(done, total, 'rows');
  };
  try {
    const { to, keep, m, efConstruction } = options;
    const done = await pushCollection(directory, { to, keep, m, efConstruction, signal, onProgress });
    if (shown !== '') progress.end();
    if (done.pending > 0)
      say(`${counted(done.pending, 'change')} of the journal not in it; nigh compact first folds them in.`);
    if (options.json) printJson(done);
    else printLine(summary(done));
  } catch (error) {
    progress.abandon();
    throw error;
  }
}

function summary({
  collection,
  generation,
  schema,
  switched,
  items,
  users,
  tables,
  bytes: size,
  seconds,
}: Push): string {
  if (!switched) return `${collection}: ${generation} is live there already (schema ${schema}).`;
  const lines = tables.map(({ table, rows, dim, graph, recallAt10, efSearch }) => {
    const found = graph ? `graph, recall@10 ${recallAt10.toFixed(3)} at efSearch ${efSearch}` : 'exact';
    return `  ${table}: ${rows} × ${dim}, ${found}`;
  });
  const head = `${collection}: ${generation} is live in the schema ${schema}: ${counted(items, 'item')}, ${counted(users, 'user')}, ${bytes(size)}, ${duration(seconds)}`;
  return [head, ...lines].join('\n');
}
