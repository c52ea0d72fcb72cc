import type { Command } from 'commander';
import { isDatabaseUrl } from '../../postgres/database-url.js';
import type { Retriever } from '../../retrieval/retriever.js';
import type { ServeOptions as ServiceOptions } from '../../service/index.js';

import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';
import { printJson, printLine, say } from '../output.js';
import { counted } from '../quantities.js';
import { faultLog } from '../service-log.js';

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly rateLimit?: number;
  readonly deadline: number;
  readonly log: boolean;
  readonly json: boolean;
}

/** `nigh serve`: HTTP service and web explorer. */
export function addServeCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('serve')
    .description('HTTP service and web explorer in front of built collections, until Ctrl-C')
    .argument('<collection...>', 'names of built collections, their directories, or postgres://… of pushed ones')
    .option('--port <number>', 'port to listen on; 0 takes a free one', wholeNumber('--port', 0, 65_535), 8080)
    .option('--host <address>', 'address to listen on; beyond this machine reads need NIGH_TOKEN', '127.0.0.1')
    .option('--workers <n>', 'processes that answer; they share the mapped indexes', wholeNumber('--workers', 1, 64), 1)
    .option(
      '--rate-limit <n>',
      'requests a second that one address may send to each process; default any number',
      wholeNumber('--rate-limit', 1, 1e9),
    )
    .option('--deadline <ms>', 'time that one request may take', wholeNumber('--deadline', 1, 3_600_000), 10_000)
    .option('--log', 'write one JSON line for each request to stderr', false)
    .option('--json', 'print the address as a JSON document once it listens', false)
    .addHelpText(
      'after',
      `
Examples:
  $ nigh serve npm-packages emoji
  $ NIGH_TOKEN=secret nigh serve movies --host 0.0.0.0 --port 80 --workers 4 --log
  $ nigh serve 'postgres://app@db.example/shop?collection=movies'

A generation that goes live is served as soon as it has passed its checks; SIGHUP looks at once. SIGTERM stops after what is under way.
Changes of items, interactions and users need NIGH_WRITE_TOKEN: with it this is the one process that writes to the collections.
A collection in PostgreSQL is served as it was pushed: changes are refused with READ_ONLY, and it has no pictures.`,
    )
    .action((collections: string[], options: ServeOptions) => serveCollections(collections, options, context));
}

async function serveCollections(
  names: readonly string[],
  options: ServeOptions,
  { signal }: CommandContext,
): Promise<void> {
  const directories = names.map((name) => (isDatabaseUrl(name) ? name : collectionDirectory(name)));
  const { isWorker, isWriter, stopOfWatcher, superviseWorkers } = await import('../../service/workers/index.js');
  // Without the token nobody may change anything, and whoever else writes to the collection need not be kept from it.
  const mayWrite = process.env.NIGH_WRITE_TOKEN !== undefined;
  if (isWorker()) {
    const stop = AbortSignal.any([signal, stopOfWatcher()]);
    return serveHere(directories, options, { signal: stop, oneOfMany: true, write: mayWrite && isWriter() });
  }
  if (options.workers === 1) {
    return serveHere(directories, options, { signal, oneOfMany: false, write: mayWrite });
  }
  await superviseWorkers({
    workers: options.workers,
    signal,
    onListening: ({ host, port }) =>
      announce(`http://${host.includes(':') ? `[${host}]` : host}:${port}`, host, port, options),
    onDeath: (reason) => say(`nigh: ${reason}; another takes its place.`),
  });
}

interface Role {
  readonly signal: AbortSignal;
  readonly oneOfMany: boolean;
  /** Whether this process writes to the collections. */
  readonly write: boolean;
}

async function serveHere(
  directories: readonly string[],
  options: ServeOptions,
  { signal, oneOfMany, write }: Role,
): Promise<void> {
  const [{ Retriever }, { serve }] = await Promise.all([
    import('../../retrieval/retriever.js'),
    import('../../service/index.js'),
  ]);
  const collections: Retriever[] = [];
  try {
    for (const directory of directories) {
      const retriever = isDatabaseUrl(directory)
        ? await (await import('../../postgres/open-pushed.js')).openPushed(directory)
        : await Retriever.open(directory, { write, onCompaction: sayWhatFailed });
      collections.push(retriever);
      if (!oneOfMany) say(summary(retriever));
    }
    const service = await serve({ collections, ...settings(options), signal });
    const onHangUp = () => void service.reloadChanged();
    process.on('SIGHUP', onHangUp);
    if (!oneOfMany) announce(service.url, service.host, service.port, options);
    await service.closed;
    await service.close();
    process.off('SIGHUP', onHangUp);
  } finally {
    for (const retriever of collections) await retriever.close();
    // The channel to the watching process would keep this one alive.
    if (oneOfMany) process.channel?.unref();
  }
}

/** A compaction in the background that failed is tried again after as many changes more. */
function sayWhatFailed(outcome: object): void {
  if (outcome instanceof Error) say(`nigh: the journal was not compacted: ${outcome.message}`);
}

function settings({ host, port, log, deadline, rateLimit }: ServeOptions): Omit<ServiceOptions, 'collections'> {
  return {
    host,
    port,
    logger: log ? true : faultLog(),
    deadlineMs: deadline,
    ...(rateLimit === undefined ? {} : { rateLimit }),
  };
}

function announce(url: string, host: string, port: number, { json }: ServeOptions): void {
  if (json) printJson({ url, host, port });
  else printLine(`Serving on ${url} (explorer at /, routes at /docs); Ctrl-C stops it.`);
}

function summary({ info: { name, items, users, spaces } }: Retriever): string {
  const names = spaces.map((space) => space.name).join(', ');
  return `${name}: ${counted(items, 'item')}, ${counted(users, 'user')}, ${spaces.length === 1 ? 'space' : 'spaces'} ${names}`;
}
