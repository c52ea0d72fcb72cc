/**
 * Several processes that serve the same generation, mapped once: this one forks them, starts another where one dies, and passes on
 * what one has to say to all. It opens no collection and answers no request itself.
 */
import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import { AggregatorRegistry } from 'prom-client';
import { NighError } from '../../core/errors.js';
import { isMessage, type Message } from './messages.js';
import { ChangePost, writerEnvironment } from './writer.js';

export interface SupervisorOptions {
  /** How many processes answer, 1 or more. */
  readonly workers: number;
  /** Stops them all: each drains and exits. */
  readonly signal: AbortSignal;
  /** Called once, when all of them listen. */
  readonly onListening: (address: { readonly host: string; readonly port: number }) => void;
  /** Called when one has died and another takes its place. */
  readonly onDeath: (reason: string) => void;
}

const firstPauseMs = 200;
const longestPauseMs = 30_000;
/** A worker that lives so long was no failure to start. */
const settledMs = 10_000;
const metricsWaitMs = 2000;

/** Settles once all workers have exited after a stop. @throws NighError INTERNAL where one ends before it ever listened */
export async function superviseWorkers(options: SupervisorOptions): Promise<void> {
  const supervisor = new Supervisor(options);
  await supervisor.run();
}

class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #listening = new Set<number>();
  readonly #exits: Promise<void>[] = [];
  readonly #stop = new AbortController();
  readonly #post = new ChangePost();
  #announced = false;
  #failure: NighError | undefined;
  #pauseMs = firstPauseMs;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, workers } = this.#options;
    const hangUp = () => this.#each((worker) => worker.send({ nigh: 'reload' } satisfies Message));
    const onAbort = () => this.#stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#stop.signal.addEventListener('abort', () => this.#each(stop));
    process.on('SIGHUP', hangUp);
    // Changes hold bytes.
    cluster.setupPrimary({ serialization: 'advanced' });
    try {
      if (!this.#stop.signal.aborted) for (let n = 0; n < workers; n++) this.#fork(n === 0);
      // Workers that take the place of others add their exits while these are waited for.
      for (let n = 0; n < this.#exits.length; n++) await this.#exits[n];
    } finally {
      process.off('SIGHUP', hangUp);
      signal.removeEventListener('abort', onAbort);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** @param writes whether it is the one that writes; whoever takes its place is too */
  #fork(writes: boolean): void {
    const worker = cluster.fork(writes ? writerEnvironment : {});
    const began = performance.now();
    worker.on('listening', ({ address, port }) => {
      this.#listening.add(worker.id);
      if (writes) this.#post.writer = worker;
      // It was too young to hear of it when the others stopped.
      if (this.#stop.signal.aborted) stop(worker);
      if (this.#announced || this.#listening.size < this.#options.workers) return;
      this.#announced = true;
      this.#options.onListening({ host: address ?? '', port });
    });
    worker.on('message', (message: unknown) => {
      if (isMessage(message)) void this.#answer(worker, message);
    });
    const exited = new Promise<void>((resolve) => {
      worker.once('exit', (code, signal) => {
        if (writes) this.#post.writer = undefined;
        void this.#onExit({ worker, writes, livedMs: performance.now() - began }, code, signal).then(resolve);
      });
    });
    this.#exits.push(exited);
  }

  async #onExit({ worker, writes, livedMs }: Ended, code: number, signal: string | null): Promise<void> {
    const listened = this.#listening.delete(worker.id);
    if (this.#stop.signal.aborted) return;
    const reason = `worker ${worker.id} ended with ${signal ?? `code ${code}`}`;
    if (!listened && !this.#announced) {
      this.#failure = new NighError('INTERNAL', `${reason} before it listened.`);
      this.#stop.abort();
      return;
    }
    this.#options.onDeath(reason);
    this.#pauseMs = livedMs > settledMs ? firstPauseMs : Math.min(longestPauseMs, this.#pauseMs * 2);
    try {
      await sleep(this.#pauseMs, undefined, { signal: this.#stop.signal });
    } catch {
      return; // stopped meanwhile
    }
    this.#fork(writes);
  }

  async #answer(from: Worker, message: Message): Promise<void> {
    if (message.nigh === 'reload') this.#each((worker) => worker !== from && worker.send(message));
    if (message.nigh === 'change') this.#post.pass(from, message);
    if (message.nigh === 'changed') this.#post.passBack(message);
    if (message.nigh === 'ask-metrics') {
      const text = await this.#metrics();
      if (from.isConnected()) from.send({ nigh: 'metrics', id: message.id, text } satisfies Message);
    }
  }

  /** Of all workers, added up; one that does not answer in time is left out. */
  async #metrics(): Promise<string> {
    const parts = await Promise.all(this.#workers().map((worker) => ownMetrics(worker)));
    const answered = parts.filter((part) => part !== undefined);
    return AggregatorRegistry.aggregate(answered as object[]).metrics();
  }

  #workers(): Worker[] {
    return Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected() === true) as Worker[];
  }

  #each(act: (worker: Worker) => void): void {
    for (const worker of this.#workers()) act(worker);
  }
}

interface Ended {
  readonly worker: Worker;
  readonly writes: boolean;
  readonly livedMs: number;
}

function stop(worker: Worker): void {
  worker.send({ nigh: 'stop' } satisfies Message);
}

let nextQuestion = 0;

function ownMetrics(worker: Worker): Promise<unknown> {
  const id = nextQuestion++;
  return new Promise((resolve) => {
    const done = (json: unknown) => {
      worker.off('message', onMessage);
      clearTimeout(timer);
      resolve(json);
    };
    const onMessage = (message: unknown) => {
      if (isMessage(message) && message.nigh === 'own-metrics' && message.id === id) done(message.json);
    };
    const timer = setTimeout(() => done(undefined), metricsWaitMs);
    worker.on('message', onMessage);
    worker.send({ nigh: 'ask-own-metrics', id } satisfies Message);
  });
}
