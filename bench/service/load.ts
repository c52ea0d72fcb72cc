/**
 * Sends requests to the service as fast as it answers them, by autocannon and from this process alone, so that it has a core of its own:
 * `node load.js <options as JSON>`.
 */
import { createRequire } from 'node:module';

/** What is sent. */
export interface Load {
  readonly url: string;
  readonly paths: readonly string[];
  readonly accept: string;
  readonly connections: number;
  readonly seconds: number;
}

/** What came back; milliseconds. */
export interface Loaded {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly failed: number;
}

interface Result {
  readonly requests: { readonly average: number };
  readonly latency: { readonly p50: number; readonly p99: number; readonly p99_9: number };
  readonly errors: number;
  readonly timeouts: number;
  readonly non2xx: number;
}

type Autocannon = (options: object) => Promise<Result>;

async function main(load: Load): Promise<Loaded> {
  // It is installed with the packages of the benchmarks, and has no types of its own.
  const autocannon = createRequire(new URL('../../../bench/package.json', import.meta.url))('autocannon') as Autocannon;
  const { requests, latency, errors, timeouts, non2xx } = await autocannon({
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    headers: { accept: load.accept },
    requests: load.paths.map((path) => ({ method: 'GET', path })),
  });
  return {
    rate: requests.average,
    p50: latency.p50,
    p99: latency.p99,
    p999: latency.p99_9,
    failed: errors + timeouts + non2xx,
  };
}

process.stdout.write(JSON.stringify(await main(JSON.parse(process.argv[2] ?? '{}') as Load)));
