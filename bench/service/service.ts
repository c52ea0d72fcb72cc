/**
 *     npm run bench -- service [directory of a collection] [--seconds 10]
 *
 * `similar` over HTTP, sent by autocannon from a process of its own: at full speed, then at half of it, where the time to an answer means
 * something; JSON and MessagePack, one worker and two; beside the same questions asked in process. On two cores, two workers and the sender share them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Retriever } from 'nigh';
import { median, quantile } from '../measures.js';
import type { BenchOptions } from '../options.js';
import { say } from '../report/say.js';
import { decimal, textTable, whole } from '../report/text-table.js';
import type { Load, Loaded } from './load.js';

const k = 10;
const items = 2000;
const connections = 32;
const forms = [
  ['JSON', 'application/json'],
  ['MessagePack', 'application/msgpack'],
] as const;

export async function service(options: BenchOptions): Promise<void> {
  const { collection = 'indexes/npm-packages', seconds } = options;
  const retriever = await Retriever.open(collection);
  const ids = retriever.sampleItems(items);
  const { name } = retriever.info;
  const paths = ids.map((id) => `/v1/collections/${name}/items/${encodeURIComponent(id)}/similar?k=${k}`);
  say(`${name}: ${whole(retriever.info.items)} items, ${ids.length} of them asked for in turn`);
  const rows = [await inProcess(retriever, ids, seconds)];
  await retriever.close();
  for (const workers of [1, 2]) {
    await using served = await startService(collection, workers);
    const load = { url: served.url, paths, connections, seconds };
    await send({ ...load, accept: 'application/json', seconds: 2 });
    for (const [form, accept] of forms) {
      await served.eventLoopDelay();
      const full = await send({ ...load, accept });
      rows.push(row(`${form}, ${workers} worker${workers === 1 ? '' : 's'}`, full, await served.eventLoopDelay()));
      const half = await send({ ...load, accept, rate: Math.round(full.rate / 2) });
      rows.push(row('  at half of that', half, await served.eventLoopDelay()));
    }
  }
  process.stdout.write(
    `\n${textTable(['similar', 'requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'loop p99 ms', 'failed'], rows)}`,
  );
}

/** The same questions, one after the other, without HTTP. */
async function inProcess(retriever: Retriever, ids: readonly string[], seconds: number): Promise<string[]> {
  const times: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < 3; round++) {
    const began = performance.now();
    let asked = 0;
    while (performance.now() - began < (seconds * 1000) / 3) {
      const from = performance.now();
      await retriever.similarItems(ids[asked % ids.length]!, { k });
      times.push(performance.now() - from);
      asked += 1;
    }
    rates.push(asked / ((performance.now() - began) / 1000));
  }
  return [
    'in process',
    whole(median(rates)),
    decimal(quantile(times, 0.5), 3),
    decimal(quantile(times, 0.99), 3),
    decimal(quantile(times, 0.999), 3),
    '–',
    '0',
  ];
}

function row(what: string, { rate, p50, p99, p999, failed }: Loaded, delay: number): string[] {
  return [what, whole(rate), whole(p50), whole(p99), whole(p999), decimal(delay * 1000, 2), String(failed)];
}

interface Served extends AsyncDisposable {
  readonly url: string;
  /** The 99th percentile since it was asked last, in seconds. */
  eventLoopDelay(): Promise<number>;
}

async function startService(collection: string, workers: number): Promise<Served> {
  const command = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
  const child = spawn(
    process.execPath,
    [command, 'serve', collection, '--port', '0', '--json', '--workers', String(workers)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(chunk.toString()) as { url: string };
  return {
    url,
    async eventLoopDelay() {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^nigh_event_loop_delay_seconds\{quantile="0\.99"\} (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function send(load: Load): Promise<Loaded> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./load.js', import.meta.url)), JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  return JSON.parse(text) as Loaded;
}
