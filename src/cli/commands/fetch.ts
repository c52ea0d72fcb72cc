import type { Command } from 'commander';
import type { LoadProgress } from '../../data/load-context.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { printJson, printTable } from '../output.js';
import { Progress } from '../progress.js';

interface FetchOptions {
  readonly list: boolean;
  readonly json: boolean;
}

/** `nigh fetch`: downloads named public datasets into the cache. */
export function addFetchCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('fetch')
    .description('download named public datasets into the cache, checked against pinned digests')
    .argument('[dataset...]', 'names of datasets')
    .option('--list', 'list the datasets that are known, with their licences', false)
    .option('--json', 'one JSON document on stdout', false)
    .addHelpText(
      'after',
      `
A dataset that lies in the directory NIGH_DATA is used from there. The cache is NIGH_CACHE, else XDG_CACHE_HOME/nigh, else ~/.cache/nigh.

Examples:
  $ nigh fetch --list
  $ nigh fetch openmoji movielens-latest-small`,
    )
    .action((names: string[], options: FetchOptions) => fetch(names, options, context));
}

async function fetch(
  names: readonly string[],
  { list, json }: FetchOptions,
  { signal }: CommandContext,
): Promise<void> {
  if (list === names.length > 0) {
    throw new UsageError('INVALID_ARGUMENT', 'fetch: expected names of datasets, or --list to see them.', 'fetch');
  }
  if (list) await listDatasets(json);
  else await fetchDatasets(names, json, signal);
}

async function listDatasets(json: boolean): Promise<void> {
  const { namedDatasets } = await import('../../data/fetch/named-datasets.js');
  const datasets = [...namedDatasets.values()].map(({ name, description, licence, source }) => ({
    name,
    description,
    licence,
    source,
  }));
  if (json) {
    printJson(datasets);
    return;
  }
  printTable(
    [{ header: 'dataset' }, { header: 'what it is', flexible: true }, { header: 'licence', flexible: true }],
    datasets.map(({ name, description, licence }) => [name, description, licence]),
  );
}

async function fetchDatasets(names: readonly string[], json: boolean, signal: AbortSignal): Promise<void> {
  const [{ namedDataset }, { fetchDataset }] = await Promise.all([
    import('../../data/fetch/named-datasets.js'),
    import('../../data/fetch/locate.js'),
  ]);
  // A name that does not exist is known before the first of several downloads begins.
  const datasets = names.map(namedDataset);
  const progress = new Progress();
  await progress.prepare();
  const fetched = [];
  try {
    for (const dataset of datasets) {
      progress.begin(`fetching ${dataset.name}`);
      const onProgress = ({ done, total }: LoadProgress) => progress.update(done, total ?? 0, 'bytes');
      const { path, from } = await fetchDataset(dataset, { signal, onProgress });
      progress.end(whence[from]);
      fetched.push({ name: dataset.name, path, from, licence: dataset.licence, source: dataset.source });
    }
  } catch (error) {
    progress.abandon();
    throw error;
  }
  if (json) {
    printJson(fetched);
    return;
  }
  printTable(
    [{ header: 'dataset' }, { header: 'path' }, { header: 'licence', flexible: true }],
    fetched.map(({ name, path, licence }) => [name, path, licence]),
  );
}

const whence = { data: 'found in NIGH_DATA', cache: 'already in the cache', download: 'downloaded' } as const;
