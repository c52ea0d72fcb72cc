import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { JournalInfo } from '../retrieval/live/open-collection.js';
import type { Answer } from '../retrieval/types.js';
import type { ServedCollection } from './served-collections.js';

/** Half a millisecond is a slow search and a fast request, so the steps are fine at the low end. */
const seconds = [
  0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
];

/** What the service counts and measures, in the Prometheus format. One an app; `nigh_` in front, and Node's own beside. */
export class Metrics {
  readonly #registry = new Registry();
  #close = () => {};
  readonly #requests = this.#histogram('nigh_request_seconds', 'Time to an answer, by route.', [
    'method',
    'route',
    'status',
  ]);
  readonly #searches = this.#histogram('nigh_search_seconds', 'Time of a search, without HTTP.', [
    'collection',
    'space',
    'plan',
  ]);
  readonly #visited = new Counter({
    name: 'nigh_search_visited_total',
    help: 'Rows that searches reached.',
    labelNames: ['collection', 'space', 'plan'] as const,
    registers: [this.#registry],
  });
  readonly #refused = new Counter({
    name: 'nigh_requests_refused_total',
    help: 'Requests that were answered with a problem, by its code.',
    labelNames: ['code'] as const,
    registers: [this.#registry],
  });
  readonly #reloads = new Counter({
    name: 'nigh_reloads_total',
    help: 'New generations, by what became of them.',
    labelNames: ['collection', 'outcome'] as const,
    registers: [this.#registry],
  });
  readonly #canary = this.#gauge(
    'nigh_canary_recall',
    'Recall@10 of a fixed sample of items against exact search, measured while serving.',
    ['collection', 'space'],
    'min',
  );

  readonly #changes = new Counter({
    name: 'nigh_changes_total',
    help: 'Changes that were made, by their kind.',
    labelNames: ['collection', 'kind'] as const,
    registers: [this.#registry],
  });

  /** @param pending how many requests are under way @param collections what is served now */
  constructor(pending: () => number, collections: () => readonly ServedCollection[]) {
    const inFlight: Gauge = new Gauge({
      name: 'nigh_requests_in_flight',
      help: 'Requests under way.',
      registers: [this.#registry],
      collect: () => inFlight.set(pending()),
    });
    this.#watchCollections(collections);
    this.#watchJournals(collections);
    this.#watchEventLoop();
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Read when it is asked for, since a compaction changes it too. Workers serve one generation: the least of them shows one that lags behind. */
  #watchCollections(collections: () => readonly ServedCollection[]): void {
    const gauge = (name: string, help: string, read: (info: ServedCollection['info']) => number) => {
      const made: Gauge<'collection'> = new Gauge({
        ...{ name, help, labelNames: ['collection'] as const, aggregator: 'min' as const, registers: [this.#registry] },
        collect: () => {
          for (const { info } of collections()) made.set({ collection: info.name }, read(info));
        },
      });
    };
    gauge('nigh_generation', 'Number of the live generation.', ({ generation }) =>
      Number(/\d+$/.exec(generation)?.[0] ?? Number.NaN),
    );
    gauge('nigh_items', 'Items of the live generation, with the changes since.', ({ items }) => items);
  }

  /** Read when it is asked for. All processes read one journal: the least sequence number is that of the one that lags behind. */
  #watchJournals(collections: () => readonly ServedCollection[]): void {
    const gauge = (what: keyof JournalInfo, help: string, aggregator: 'min' | 'max') => {
      const made: Gauge<'collection'> = new Gauge({
        name: `nigh_journal_${what}`,
        help,
        labelNames: ['collection'] as const,
        aggregator,
        registers: [this.#registry],
        collect: () => {
          for (const { info, journal } of collections()) {
            if (journal !== undefined) made.set({ collection: info.name }, journal[what]);
          }
        },
      });
    };
    gauge('entries', 'Changes since the generation, which a compaction folds into a new one.', 'max');
    gauge('bytes', 'Bytes of the journal.', 'max');
    gauge('sequence', 'The newest change that is applied.', 'min');
  }

  /** Node's monitor counts the interval at which it looks; this is how late it was. Since the last time that it was asked. */
  #watchEventLoop(): void {
    const interval = 5;
    const monitor = monitorEventLoopDelay({ resolution: interval });
    monitor.enable();
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - interval) / 1000;
    const delay: Gauge<'quantile'> = new Gauge({
      name: 'nigh_event_loop_delay_seconds',
      help: 'How late the event loop was since the last look.',
      labelNames: ['quantile'] as const,
      aggregator: 'max',
      registers: [this.#registry],
      collect: () => {
        if (monitor.count > 0) {
          delay.set({ quantile: '0.5' }, late(monitor.percentile(50)));
          delay.set({ quantile: '0.99' }, late(monitor.percentile(99)));
          delay.set({ quantile: '1' }, late(monitor.max));
        }
        monitor.reset();
      },
    });
    this.#close = () => monitor.disable();
  }

  /** Ends what is measured all the time. */
  close(): void {
    this.#close();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** For the process that adds up what its workers measured. */
  json(): Promise<unknown> {
    return this.#registry.getMetricsAsJSON();
  }

  /** @param ms how long it took */
  answered(method: string, route: string, status: number, ms: number): void {
    this.#requests.observe({ method, route, status: String(status) }, ms / 1000);
  }

  searched(collection: string, { stats: { space, plan, visited, tookMs } }: Answer): void {
    const labels = { collection, space, plan };
    this.#searches.observe(labels, tookMs / 1000);
    this.#visited.inc(labels, visited);
  }

  changed(collection: string, kind: string): void {
    this.#changes.inc({ collection, kind });
  }

  refused(code: string): void {
    this.#refused.inc({ code });
  }

  reloaded(collection: string, outcome: 'swapped' | 'refused'): void {
    this.#reloads.inc({ collection, outcome });
  }

  canary(collection: string, recalls: ReadonlyMap<string, number>): void {
    for (const [space, recall] of recalls) this.#canary.set({ collection, space }, recall);
  }

  #histogram<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets: seconds, registers: [this.#registry] });
  }

  #gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    aggregator: 'min',
  ): Gauge<Label> {
    return new Gauge({ name, help, labelNames, aggregator, registers: [this.#registry] });
  }
}
