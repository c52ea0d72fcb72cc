/** What `npm run bench` starts: reads the options and runs one command. bench/README.md describes them. */
import type { BenchCommand } from './commands.js';
import { type BenchOptions, readOptions, UsageError } from './options.js';
import { say } from './report/say.js';

const run: Record<BenchCommand, (options: BenchOptions) => Promise<void>> = {
  ann: async (options) => (await import('./ann/ann.js')).ann(options),
  crossover: async (options) => (await import('./crossover.js')).crossover(options),
  pictures: async (options) => (await import('./pictures.js')).pictures(options),
  'event-loop': async (options) => (await import('./stress/event-loop.js')).eventLoop(options),
  memory: async (options) => (await import('./stress/memory.js')).memory(options),
  insert: async (options) => (await import('./stress/insert.js')).insert(options),
  churn: async (options) => (await import('./stress/churn.js')).churn(options),
  filters: async (options) => (await import('./filters.js')).filters(options),
  retrieval: async (options) => (await import('./retrieval.js')).retrieval(options),
  neighbors: async (options) => (await import('./neighbors.js')).neighbors(options),
  service: async (options) => (await import('./service/service.js')).service(options),
  shards: async (options) => (await import('./shards/shards.js')).shards(options),
  content: async ({ parts, repeats }) => (await import('./content/main.js')).content(parts, repeats),
};

try {
  const options = readOptions(process.argv.slice(2));
  await run[options.command](options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  say(`bench: ${error.message}`);
  process.exitCode = 2;
}
