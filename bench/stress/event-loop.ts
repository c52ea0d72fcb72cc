/**
 *     NIGH_THREADS=1 npm run bench -- event-loop [dataset] [--seconds 10]
 *
 * How long the event loop is kept from its work by asynchronous searches: its delay idle, and while searches run at full speed, each
 * sent as soon as the one before has answered, in turns in one run. NIGH_THREADS=1 leaves one native thread to the searches, so that on
 * two cores the loop has a core of its own.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, quantile } from 'nigh/evaluation';
import { queryVectors } from '../datasets/dataset.js';
import type { BenchOptions } from '../options.js';
import { textTable } from '../report/text-table.js';
import { buildOurs, k, loadOne } from './subject.js';

/** Milliseconds between two looks of both probes. */
const interval = 2;

interface Delay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Delays {
  /** Of Node's own monitor, less its interval: milliseconds by which a timer was late. */
  readonly monitor: Delay;
  /** Milliseconds that a callback of `setImmediate` waited for its turn. */
  readonly immediate: Delay;
}

export async function eventLoop(options: BenchOptions): Promise<void> {
  const dataset = await loadOne(options);
  const index = await buildOurs(dataset);
  const vectors = queryVectors(dataset);
  const idle: Delays[] = [];
  const busy: Delays[] = [];
  let searches = 0;
  const turns = 3;
  const seconds = options.seconds / turns;
  for (let turn = 0; turn < turns; turn++) {
    idle.push(await delaysDuring(seconds, () => Promise.resolve()));
    busy.push(
      await delaysDuring(seconds, async (running) => {
        while (running()) {
          await index.search(vectors[searches % vectors.length]!, k);
          searches++;
        }
      }),
    );
  }
  index.close();
  const row = (what: string, delays: readonly Delays[], probe: keyof Delays) => [
    what,
    ...(['p50', 'p99', 'max'] as const).map((figure) => median(delays.map((each) => each[probe][figure])).toFixed(3)),
  ];
  const excess = (probe: keyof Delays) => [
    'excess',
    ...(['p50', 'p99', 'max'] as const).map((figure) =>
      median(busy.map((each, turn) => each[probe][figure] - idle[turn]![probe][figure])).toFixed(3),
    ),
  ];
  const rate = Math.round(searches / options.seconds).toLocaleString('en');
  process.stdout.write(
    `\nDelay of the event loop in ms, medians of ${turns} turns; ${rate} asynchronous searches a second\n` +
      textTable(
        ['timer', 'p50', 'p99', 'max'],
        [row('idle', idle, 'monitor'), row('searching', busy, 'monitor'), excess('monitor')],
      ) +
      '\n' +
      textTable(
        ['setImmediate', 'p50', 'p99', 'max'],
        [row('idle', idle, 'immediate'), row('searching', busy, 'immediate'), excess('immediate')],
      ),
  );
}

/** Runs the work and both probes for so long. */
async function delaysDuring(seconds: number, work: (running: () => boolean) => Promise<void>): Promise<Delays> {
  const end = performance.now() + seconds * 1000;
  const running = () => performance.now() < end;
  const histogram = monitorEventLoopDelay({ resolution: interval });
  const waits: number[] = [];
  const probe = async () => {
    while (running()) {
      await sleep(interval);
      const asked = performance.now();
      await new Promise<void>((resolve) => setImmediate(resolve));
      waits.push(performance.now() - asked);
    }
  };
  histogram.enable();
  await Promise.all([work(running), probe()]);
  histogram.disable();
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - interval);
  return {
    monitor: { p50: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), max: late(histogram.max) },
    immediate: { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), max: Math.max(...waits) },
  };
}
