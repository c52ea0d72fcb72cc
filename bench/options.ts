import { parseArgs } from 'node:util';
import { type BenchCommand, commandOf, commands } from './commands.js';
import { type ContentPart, contentParts } from './content/parts.js';
import type { PeerMetric } from './datasets/dataset.js';
import { isFileOrAddress } from './datasets/file.js';
import { type DatasetReference, datasets } from './datasets/registry.js';

/** What the commands of one dataset take unless another is named. */
export const defaultDataset = 'glove-6b-100d';

export interface BenchOptions {
  readonly command: BenchCommand;
  /** As they were named; none where none was. */
  readonly datasets: readonly DatasetReference[];
  /** Directory of the collection that `retrieval` and `neighbors` ask and `service` serves. */
  readonly collection: string | undefined;
  /** Of `content`. */
  readonly parts: readonly ContentPart[];
  /** Files that `pictures` are made of. */
  readonly results: readonly string[];
  readonly queries: number;
  readonly rows: number | undefined;
  readonly repeats: number;
  /** Searches of `memory`, seconds of each part of `event-loop` and `insert`. */
  readonly searches: number;
  readonly seconds: number;
  readonly json: string | undefined;
  readonly ann: AnnOptions;
}

/** What `ann` takes instead of what its grid says; undefined for the grid's. */
export interface AnnOptions {
  readonly grid: string;
  readonly algorithms: readonly string[] | undefined;
  readonly queries: number | undefined;
  readonly repeats: number | undefined;
  readonly threads: readonly number[] | undefined;
  /** Keys of algorithms that are built though they are in the cache. */
  readonly rebuild: readonly string[];
  /** Builds what is not in the cache, and no more. */
  readonly buildsOnly: boolean;
  readonly html: string | undefined;
  /** Adds to the datasets that the file of `json` has. */
  readonly merge: boolean;
}

/** What was asked for cannot be done; the message says why. */
export class UsageError extends Error {}

const metrics: readonly PeerMetric[] = ['l2', 'ip', 'cosine'];

/** @throws UsageError */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args);
  const [first] = positionals;
  const command = commandOf(first);
  const names = command === first ? positionals.slice(1) : positionals;
  const asksCollection = command === 'retrieval' || command === 'neighbors' || command === 'service';
  const asksDatasets = !asksCollection && command !== 'content' && command !== 'crossover' && command !== 'pictures';
  const metric = values.metric === undefined ? undefined : metricOf(values.metric);
  const given = (name: 'queries' | 'repeats' | 'rows') =>
    values[name] === undefined ? undefined : count(name, values[name]);
  return {
    command,
    // `retrieval`, `neighbors` and `service` ask a collection, which their one argument names; `content` has parts.
    datasets: asksDatasets ? names.map((name) => referenceOf(name, metric)) : [],
    collection: asksCollection ? names[0] : undefined,
    parts: command !== 'content' ? [] : names.length === 0 ? contentParts : names.map(partOf),
    results: command === 'pictures' ? names : [],
    queries: given('queries') ?? 2000,
    rows: given('rows'),
    repeats: given('repeats') ?? 5,
    searches: count('searches', values.searches),
    seconds: count('seconds', values.seconds),
    json: values.json,
    ann: {
      grid: values.full ? 'full' : values.grid,
      algorithms: values.algorithms?.split(',').filter((key) => key !== ''),
      queries: given('queries'),
      repeats: given('repeats'),
      threads: values['build-threads']?.split(',').map((threads) => count('build-threads', threads)),
      rebuild: values.rebuild?.split(',') ?? [],
      buildsOnly: values['builds-only'],
      html: values.html,
      merge: values.merge,
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        grid: { type: 'string', default: 'default' },
        full: { type: 'boolean', default: false },
        algorithms: { type: 'string' },
        metric: { type: 'string' },
        queries: { type: 'string' },
        rows: { type: 'string' },
        repeats: { type: 'string' },
        'build-threads': { type: 'string' },
        rebuild: { type: 'string' },
        'builds-only': { type: 'boolean', default: false },
        searches: { type: 'string', default: '1000000' },
        seconds: { type: 'string', default: '10' },
        json: { type: 'string' },
        html: { type: 'string' },
        merge: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function referenceOf(name: string, metric: PeerMetric | undefined): DatasetReference {
  if (datasets.has(name)) return { name };
  if (isFileOrAddress(name)) return { name, metric };
  throw new UsageError(
    `unknown dataset or command ${name}; datasets: ${[...datasets.keys()].join(', ')}, or a file of vectors; commands: ${Object.keys(commands).join(', ')}`,
  );
}

function metricOf(name: string): PeerMetric {
  const metric = metrics.find((known) => known === name);
  if (metric !== undefined) return metric;
  throw new UsageError(`unknown metric ${name}; metrics: ${metrics.join(', ')}`);
}

function partOf(name: string): ContentPart {
  const part = contentParts.find((known) => known === name);
  if (part !== undefined) return part;
  throw new UsageError(`unknown part of content ${name}; parts: ${contentParts.join(', ')}`);
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} takes a positive integer, not ${text}`);
  return value;
}
