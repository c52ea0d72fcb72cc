/** An open collection: the state that questions are answered from, the journal behind it, and for its writer the way to change it. */
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { Collection } from '../collection.js';
import type { CollectionSource } from '../collection-source.js';
import { liveGeneration } from '../generation.js';
import { Journal, journalPlace, Trimmed } from '../journal/journal.js';
import type { Acknowledgement } from '../journal/store.js';
import { type CompactOptions, compactInto, keepGenerations } from './compact.js';
import { LiveCollection } from './live-collection.js';
import { trimJournal } from './trim-journal.js';
import { type Follower, type Request, Writer } from './writer.js';

/** What a compaction did. */
export interface Compaction {
  /** The generation that is live now. */
  readonly generation: string;
  /** The last change that is in it. */
  readonly sequence: number;
  /** How many changes were folded in; 0 where there were none, and the generation stays. */
  readonly folded: number;
  /** How many changes the journal no longer holds, since every generation that is kept has them. */
  readonly trimmed: number;
  /** What failed after the generation was live, and is tried again by the next compaction. */
  readonly warnings: readonly string[];
  readonly seconds: number;
}

/** How far the journal of a collection goes. */
export interface JournalInfo {
  /** The number of the last change that questions are answered by. */
  readonly sequence: number;
  /** Changes since the generation. */
  readonly entries: number;
  /** On disk. */
  readonly bytes: number;
}

export interface OpenCollectionOptions {
  readonly mode: 'memory' | 'mmap';
  /** Changes in the journal at which they are folded in; 0 for never. */
  readonly compactAfter: number;
  /** Told how every compaction in the background ended. */
  readonly onCompaction: ((outcome: Compaction | Error) => void) | undefined;
}

type Stoplists = ReadonlyMap<string, readonly string[]>;

export class OpenCollection implements Follower, CollectionSource {
  live: LiveCollection;
  readonly #directory: string;
  readonly #options: OpenCollectionOptions;
  readonly #writer: Writer | undefined;
  /** For reading; of the process that writes it is the writer's. */
  #journal: Journal | undefined;
  #journalBytes = 0;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
  #compacting: Promise<Compaction> | undefined;
  /** A compaction in the background that failed is tried again after as many changes more. */
  #compactAt: number;
  #swaps = 0;
  #moving: Promise<number> | undefined;

  private constructor(
    live: LiveCollection,
    directory: string,
    options: OpenCollectionOptions,
    writer: Writer | undefined,
    journal: Journal | undefined,
  ) {
    this.live = live;
    this.#directory = directory;
    this.#options = options;
    this.#writer = writer;
    this.#journal = journal;
    this.#compactAt = options.compactAfter;
  }

  /** @throws NighError what opening a collection throws, LOCKED */
  static async open(directory: string, options: OpenCollectionOptions, write: boolean): Promise<OpenCollection> {
    return OpenCollection.#with(directory, options, write ? await Writer.open(directory) : undefined, new Map());
  }

  static async #with(
    directory: string,
    options: OpenCollectionOptions,
    writer: Writer | undefined,
    stoplists: Stoplists,
  ): Promise<OpenCollection> {
    let live: LiveCollection | undefined;
    let journal: Journal | undefined;
    try {
      ({ live, journal } = await openCaughtUp(directory, options.mode, writer));
      live.hide(stoplists);
      const opened = new OpenCollection(live, directory, options, writer, journal);
      await writer?.exclusively(async () => {
        // From here on every batch tells it.
        await opened.live.catchUp(writer.journal);
        writer.attach(opened);
      });
      await opened.#measureJournal();
      return opened;
    } catch (cause) {
      await Promise.allSettled([live?.close(), journal?.close(), writer?.leave()]);
      throw cause;
    }
  }

  /** The live generation, opened beside this one; both take changes, and see each other's. */
  reopen(): Promise<OpenCollection> {
    return OpenCollection.#with(this.#directory, this.#options, this.#writer, this.state.stoplists.lists);
  }

  /** As CURRENT has it. @throws NighError IO, FORMAT */
  liveGeneration(): Promise<string | undefined> {
    return liveGeneration(this.#directory);
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** What a question is answered from, from its begin to its end. @throws NighError CLOSED */
  get state(): Collection {
    if (!this.isClosed) return this.live.current;
    throw new NighError('CLOSED', `The collection ${this.live.generation.manifest.name} was closed.`);
  }

  /** Another number for every state but those that differ in stoplists alone. */
  get revision(): number {
    return this.#swaps + this.live.sequence;
  }

  /** Closing waits for it. */
  tracked<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** @throws NighError READ_ONLY, IO, CLOSED, and what is wrong with the change */
  async submit(request: Request, requestId: string | undefined): Promise<Acknowledgement> {
    const acknowledgement = await this.tracked(this.#requireWriter().submit(request, requestId));
    // The change is made: nothing after it may let it seem otherwise.
    await this.#measureJournal().catch(() => {});
    this.#compactWhereDue();
    return acknowledgement;
  }

  /** @throws NighError CHECKSUM_MISMATCH, FORMAT, IO, CLOSED */
  async catchUp(sequence: number | undefined): Promise<number> {
    const { live } = this;
    if (this.isClosed || (sequence !== undefined && live.sequence >= sequence)) return live.sequence;
    const place = journalPlace(this.#directory, live.generation.manifest);
    if (this.#writer === undefined && this.#journal === undefined && Journal.exists(place)) {
      const journal = await Journal.open(place, 0, false);
      // Another call may have been first, or the collection closed.
      if (this.#journal === undefined && !this.isClosed) this.#journal = journal;
      else await journal.close();
    }
    const journal = this.#writer?.journal ?? this.#journal;
    if (journal === undefined || this.isClosed || journal.head <= live.sequence) return live.sequence;
    const reached = await this.tracked(
      live.catchUp(journal).catch((cause: unknown) => {
        if (this.#writer === undefined && cause instanceof Trimmed) return this.#moveOn(live);
        throw cause;
      }),
    );
    await this.#measureJournal();
    return reached;
  }

  /** From a generation whose changes were trimmed, since it is not kept any more, to the live one. */
  #moveOn(from: LiveCollection): Promise<number> {
    this.#moving ??= this.#move(from).finally(() => {
      this.#moving = undefined;
    });
    return this.#moving;
  }

  async #move(from: LiveCollection): Promise<number> {
    // Another call may have been first.
    if (this.live !== from) return this.live.sequence;
    const { live, journal } = await openCaughtUp(this.#directory, this.#options.mode, undefined);
    if (this.isClosed) {
      await live.close();
      await journal?.close();
      return from.sequence;
    }
    live.hide(this.live.current.stoplists.lists);
    const before = this.#journal;
    this.#journal = journal;
    this.#swapTo(live);
    // Other calls may still be looking for changes in it.
    void Promise.allSettled([...this.#underWay]).then(() => before?.close());
    return live.sequence;
  }

  /** Questions that began before keep the old state until they are answered. */
  #swapTo(next: LiveCollection): void {
    const before = this.live;
    this.live = next;
    this.#swaps++;
    void Promise.allSettled([...this.#underWay]).then(() => before.close());
  }

  get journal(): JournalInfo | undefined {
    const journal = this.#writer?.journal ?? this.#journal;
    if (journal === undefined || this.isClosed) return undefined;
    const { sequence, generation } = this.live;
    return { sequence, entries: journal.entriesAfter(generation.manifest.journal ?? 0), bytes: this.#journalBytes };
  }

  /** @throws NighError READ_ONLY, LOCKED, RECALL_FLOOR, ABORTED, IO, CLOSED */
  async compact(options: CompactOptions): Promise<Compaction> {
    const writer = this.#requireWriter();
    // One after the other, each by its own options.
    while (this.#compacting !== undefined) await Promise.allSettled([this.#compacting]);
    throwIfAborted(options.signal);
    if (this.isClosed) throw new NighError('CLOSED', 'The collection was closed.');
    this.#compacting = this.tracked(this.#compact(writer, options)).finally(() => {
      this.#compacting = undefined;
    });
    return this.#compacting;
  }

  async #compact(writer: Writer, options: CompactOptions): Promise<Compaction> {
    const began = performance.now();
    const { live } = this;
    const { current: state, sequence } = live;
    const { generation, journal: included = 0 } = live.generation.manifest;
    if (sequence === included) {
      const warnings = await keepGenerations(this.#directory, options.keep);
      const trimmed = await this.#trim(writer, warnings);
      return { generation, sequence, folded: 0, trimmed, warnings, seconds: (performance.now() - began) / 1000 };
    }
    const signals = [this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])];
    const signal = AbortSignal.any(signals);
    const { warnings, isFlushed } = await compactInto(this.#directory, state, sequence, { ...options, signal });
    const next = new LiveCollection(await Collection.open(this.#directory, this.#options.mode));
    try {
      await next.catchUp(writer.journal);
      throwIfAborted(this.#closing.signal);
      await writer.exclusively(async () => {
        await next.catchUp(writer.journal);
        next.hide(this.live.current.stoplists.lists);
        this.#swapTo(next);
      });
    } catch (cause) {
      await next.close();
      throw cause;
    }
    const all = [...warnings];
    // What is not certain to be live may need every change again.
    const trimmed = isFlushed ? await this.#trim(writer, all) : 0;
    const seconds = (performance.now() - began) / 1000;
    const { generation: now } = next.generation.manifest;
    return { generation: now, sequence, folded: sequence - included, trimmed, warnings: all, seconds };
  }

  /** @param warnings what failed is added */
  async #trim(writer: Writer, warnings: string[]): Promise<number> {
    try {
      return await trimJournal(this.#directory, writer);
    } catch (cause) {
      warnings.push(`The journal was not trimmed: ${(cause as Error).message}`);
      return 0;
    }
  }

  #compactWhereDue(): void {
    const { compactAfter, onCompaction } = this.#options;
    if (compactAfter === 0 || this.#compacting !== undefined || this.isClosed) return;
    const pending = this.live.sequence - (this.live.generation.manifest.journal ?? 0);
    if (pending < this.#compactAt) return;
    this.compact({ signal: undefined, onProgress: undefined, threads: 0, keep: 2 }).then(
      (done) => {
        this.#compactAt = compactAfter;
        onCompaction?.(done);
      },
      (error: Error) => {
        this.#compactAt = pending + compactAfter;
        if (!this.isClosed) onCompaction?.(error);
      },
    );
  }

  #requireWriter(): Writer {
    const { manifest } = this.state;
    if (this.#writer !== undefined) return this.#writer;
    throw new NighError('READ_ONLY', `The collection ${manifest.name} was opened without \`write\`.`);
  }

  async #measureJournal(): Promise<void> {
    this.#journalBytes = (await (this.#writer?.journal ?? this.#journal)?.bytes()) ?? 0;
  }

  /** Waits for what is under way, but for a compaction, which it ends; then lets another process write. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.#closing.abort();
    await Promise.allSettled([...this.#underWay]);
    try {
      await this.#writer?.detach(this);
      await this.#journal?.close();
    } finally {
      await this.live.close();
    }
  }
}

/**
 * The live generation, with every change so far.
 * @throws NighError what opening a collection and a journal throws, LOCKED
 */
async function openCaughtUp(
  directory: string,
  mode: OpenCollectionOptions['mode'],
  writer: Writer | undefined,
): Promise<{ readonly live: LiveCollection; readonly journal: Journal | undefined }> {
  for (;;) {
    const live = new LiveCollection(await Collection.open(directory, mode));
    let journal: Journal | undefined;
    try {
      const place = journalPlace(directory, live.generation.manifest);
      if (writer !== undefined && writer.journal.directory !== place.directory) {
        throw new NighError(
          'LOCKED',
          `${directory}: another journal went live; close the collection to write to that one.`,
        );
      }
      if (writer === undefined && Journal.exists(place)) journal = await Journal.open(place, 0, false);
      const source = writer?.journal ?? journal;
      if (source !== undefined) await live.catchUp(source);
      return { live, journal };
    } catch (cause) {
      await Promise.allSettled([live.close(), journal?.close()]);
      // Compactions may have replaced this generation, and trimmed what it lacks, since it was opened.
      if (cause instanceof Trimmed && (await liveGeneration(directory)) !== live.generation.manifest.generation)
        continue;
      throw cause;
    }
  }
}
