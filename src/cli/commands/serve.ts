import type { Command } from 'commander';
import type { Retriever } from '../../retrieval/retriever.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';
import { printJson, printLine, say } from '../output.js';
import { counted } from '../quantities.js';
import { faultLog } from '../service-log.js';

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly log: boolean;
  readonly json: boolean;
}

/** `nigh serve`: HTTP service and web explorer. */
export function addServeCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('serve')
    .description('HTTP service and web explorer in front of built collections, until Ctrl-C')
    .argument('<collection...>', 'names of built collections, or their directories')
    .option('--port <number>', 'port to listen on; 0 takes a free one', wholeNumber('--port', 0, 65_535), 8080)
    .option('--host <address>', 'address to listen on; beyond this machine reads need NIGH_TOKEN', '127.0.0.1')
    .option('--log', 'write one JSON line for each request to stderr', false)
    .option('--json', 'print the address as a JSON document once it listens', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ nigh serve npm-packages emoji\n  $ NIGH_TOKEN=secret nigh serve movies --host 0.0.0.0 --port 80 --log',
    )
    .action((collections: string[], options: ServeOptions) => serveCollections(collections, options, context));
}

async function serveCollections(
  names: readonly string[],
  options: ServeOptions,
  { signal }: CommandContext,
): Promise<void> {
  const directories = names.map(collectionDirectory);
  const [{ Retriever }, { serve }] = await Promise.all([
    import('../../retrieval/retriever.js'),
    import('../../service/index.js'),
  ]);
  const collections: Retriever[] = [];
  try {
    for (const directory of directories) {
      const retriever = await Retriever.open(directory);
      collections.push(retriever);
      say(summary(retriever));
    }
    const { host, port } = options;
    const service = await serve({ collections, host, port, logger: options.log ? true : faultLog(), signal });
    if (options.json) printJson({ url: service.url, host: service.host, port: service.port });
    else printLine(`Serving on ${service.url} (explorer at /, routes at /docs); Ctrl-C stops it.`);
    await service.closed;
    await service.close();
  } finally {
    for (const retriever of collections) await retriever.close();
  }
}

function summary({ info: { name, items, users, spaces } }: Retriever): string {
  const names = spaces.map((space) => space.name).join(', ');
  return `${name}: ${counted(items, 'item')}, ${counted(users, 'user')}, ${spaces.length === 1 ? 'space' : 'spaces'} ${names}`;
}
