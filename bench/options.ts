import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { installedPeers, peerKeys } from './algorithms/registry.js';
import { type ContentPart, contentParts } from './content/parts.js';
import type { BenchDatasetSource } from './datasets/dataset.js';
import { datasets } from './datasets/registry.js';

export const commands = [
  'compare',
  'build',
  'event-loop',
  'memory',
  'insert',
  'churn',
  'filters',
  'content',
  'retrieval',
  'neighbors',
  'service',
] as const;

export type BenchCommand = (typeof commands)[number];

export interface BenchOptions {
  readonly command: BenchCommand;
  readonly datasets: readonly BenchDatasetSource[];
  /** Directory of the collection that `retrieval` and `neighbors` ask and `service` serves. */
  readonly collection: string | undefined;
  /** Of `content`. */
  readonly parts: readonly ContentPart[];
  /** Keys of the peers that take part, all installed. */
  readonly peers: readonly string[];
  /** Keys of peers that were asked for and are not installed. */
  readonly absent: readonly string[];
  readonly queries: number;
  readonly rows: number | undefined;
  readonly repeats: number;
  /** Threads of our builds; the index of the first is the one that is searched. */
  readonly buildThreads: readonly number[];
  readonly rebuild: boolean;
  /** Searches of `memory`, seconds of each part of `event-loop` and `insert`. */
  readonly searches: number;
  readonly seconds: number;
  readonly json: string | undefined;
  readonly chart: string | undefined;
}

/** What was asked for cannot be done; the message says why. */
export class UsageError extends Error {}

/** @throws UsageError */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args);
  const [first] = positionals;
  const command = commands.find((name) => name === first) ?? 'compare';
  const asksCollection = command === 'retrieval' || command === 'neighbors' || command === 'service';
  const names = command === first ? positionals.slice(1) : positionals;
  const peers = values.peers === undefined ? installedPeers() : values.peers.split(',').filter((key) => key !== '');
  const strange = peers.find((key) => !peerKeys.includes(key));
  if (strange !== undefined) throw new UsageError(`unknown peer ${strange}; known: ${peerKeys.join(', ')}`);
  const here = installedPeers();
  return {
    command,
    // `retrieval`, `neighbors` and `service` ask a collection, which their one argument names; `content` has parts.
    datasets:
      asksCollection || command === 'content' ? [] : (names.length === 0 ? ['glove-6b-100d'] : names).map(sourceOf),
    collection: asksCollection ? names[0] : undefined,
    parts: command !== 'content' ? [] : names.length === 0 ? contentParts : names.map(partOf),
    peers: peerKeys.filter((key) => peers.includes(key) && here.includes(key)),
    absent: peers.filter((key) => !here.includes(key)),
    queries: count('queries', values.queries),
    rows: values.rows === undefined ? undefined : count('rows', values.rows),
    repeats: count('repeats', values.repeats),
    buildThreads: values['build-threads'].split(',').map((threads) => count('build-threads', threads)),
    rebuild: values.rebuild,
    searches: count('searches', values.searches),
    seconds: count('seconds', values.seconds),
    json: values.json,
    chart: values.chart,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        peers: { type: 'string' },
        queries: { type: 'string', default: '2000' },
        rows: { type: 'string' },
        repeats: { type: 'string', default: '5' },
        'build-threads': { type: 'string', default: String(Math.min(2, cpus().length)) },
        rebuild: { type: 'boolean', default: false },
        searches: { type: 'string', default: '1000000' },
        seconds: { type: 'string', default: '10' },
        json: { type: 'string' },
        chart: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function sourceOf(name: string): BenchDatasetSource {
  const source = datasets.get(name);
  if (source !== undefined) return source;
  throw new UsageError(
    `unknown dataset or command ${name}; datasets: ${[...datasets.keys()].join(', ')}; commands: ${commands.join(', ')}`,
  );
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
