/**
 *     npm run bench -- service [directory of a collection] [--seconds 10]
 *
 * `similar` over HTTP, sent from a process of its own: by autocannon as fast as it is answered, then at half of that at times that do not wait for
 * answers (arrivals.ts), where the time to an answer means something; JSON and MessagePack, one worker and two; beside the same questions asked in
 * process. On two cores, two workers and the sender share them.
 *
 * Beside each the machine's load average, and for how much of the time the service's main threads were ready to go on but had no core: what
 * others on the machine add to the times. Not told where the system does not count it.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Retriever } from 'nigh';
import { median, quantile } from 'nigh/evaluation';
import type { BenchOptions } from '../options.js';
import { say } from '../report/say.js';
import { decimal, textTable, whole } from '../report/text-table.js';
import type { Answered, Arrivals, Quantiles } from './arrivals.js';
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
    const load = { url: served.url, paths, seconds };
    await send<Loaded>('load', { ...load, accept: 'application/json', connections, seconds: 2 } satisfies Load);
    for (const [form, accept] of forms) {
      await served.look();
      const full = await send<Loaded>('load', { ...load, accept, connections } satisfies Load);
      rows.push(
        row(`${form}, ${workers} worker${workers === 1 ? '' : 's'}`, full.rate, full, full.failed, await served.look()),
      );
      const half = await send<Answered>('arrivals', { ...load, accept, rate: full.rate / 2 } satisfies Arrivals);
      rows.push(
        row('  at half of that, since it was due', half.rate, half.sinceDue, half.failed, await served.look()),
        row('  since it was sent', undefined, half.sinceSent),
      );
    }
  }
  const heading = [
    'similar',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'failed',
    'loop p99 ms',
    'no core %',
    'load',
  ];
  process.stdout.write(`\n${textTable(heading, rows)}`);
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
    '0',
  ];
}

function row(
  what: string,
  rate: number | undefined,
  { p50, p99, p999 }: Quantiles,
  failed?: number,
  seen?: Seen,
): string[] {
  return [
    what,
    rate === undefined ? '' : whole(rate),
    ...[p50, p99, p999].map((ms) => decimal(ms, 2)),
    failed === undefined ? '' : String(failed),
    ...(seen === undefined ? [] : [decimal(seen.loopP99Ms, 2), decimal(seen.withoutCore, 1), decimal(seen.load, 1)]),
  ];
}

/** What was seen of the service since the last look. */
interface Seen {
  readonly loopP99Ms: number;
  /** Of the time, in per cent, on average over its main threads. */
  readonly withoutCore: number;
  /** Of the last minute. */
  readonly load: number;
}

interface Served extends AsyncDisposable {
  readonly url: string;
  look(): Promise<Seen>;
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
  const pids = mainThreads(child.pid!, workers);
  let last = { at: performance.now(), waitedMs: waitedMs(pids) };
  return {
    url,
    async look() {
      const text = await (await fetch(`${url}/metrics`)).text();
      const delay = Number(/^nigh_event_loop_delay_seconds\{quantile="0\.99"\} (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
      const now = { at: performance.now(), waitedMs: waitedMs(pids) };
      const withoutCore = (100 * (now.waitedMs - last.waitedMs)) / (now.at - last.at) / pids.length;
      last = now;
      return { loopP99Ms: delay * 1000, withoutCore, load: loadavg()[0]! };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** The processes that answer: that which was started, or its workers. */
function mainThreads(pid: number, workers: number): number[] {
  if (workers === 1) return [pid];
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  } catch {
    return [];
  }
}

/** How long main threads have been ready to go on and had no core, in milliseconds in all (Linux; elsewhere NaN). */
function waitedMs(pids: readonly number[]): number {
  try {
    const waits = pids.map((pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6);
    return waits.reduce((sum, wait) => sum + wait, 0);
  } catch {
    return Number.NaN;
  }
}

async function send<Result>(sender: 'load' | 'arrivals', options: Load | Arrivals): Promise<Result> {
  const script = fileURLToPath(new URL(`./${sender}.js`, import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(child, 'close');
  return JSON.parse(text) as Result;
}
