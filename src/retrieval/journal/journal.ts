/**
 * The journal of a collection: every change since its generation was built, in an lmdb environment `journal/` beside the generations.
 *
 *   entries    sequence number → change (entry.ts)
 *   requests   request id → what was answered, so that a change that is sent twice is made once
 *   state      `version`, `head`: the number of the last change that was ever made
 *
 * Entries are numbered without gaps, from the first that is kept to the head. Those before were trimmed after a compaction; who still
 * needs them is told (`Trimmed`), and nothing is ever skipped.
 *
 * Durable: lmdb commits copy-on-write, the pages of a transaction first, flushed, then one page that names them, flushed. `overlappingSync`,
 * which would let a commit be known before its flush, is off, so that the promise of `append` resolves after both. A crash at any moment
 * leaves the state before a commit or after it.
 *
 * One process writes (the lock of live/writer.ts); others read, each a consistent state, and none waits for another.
 */
import { existsSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NighError, reasonOf } from '../../core/errors.js';
import type { Manifest } from '../generation.js';
import { flush } from '../packed-file.js';
import { checkPages } from './check-pages.js';
import { checkDataFile, journalFile } from './data-file.js';
import { type Change, type Entry, packEntry, unpackEntry } from './entry.js';
import { giveRoomBack, makeRoom } from './room.js';
import { type Acknowledgement, commit, openStore, type Store, usedBytes } from './store.js';
import { tryOpening } from './try-opening.js';

/** A change that is ready to be made durable. */
export interface Settled {
  readonly change: Change;
  readonly requestId: string | undefined;
  readonly acknowledgement: Acknowledgement;
}

/** Where the journal of a collection lies. */
export interface JournalPlace {
  readonly directory: string;
  /** The lock of who may write. It is the same whatever folder the journal is in. */
  readonly lock: string;
}

/** @param generation the one whose changes it holds; without one the journal has its usual place */
export function journalPlace(collection: string, generation?: Pick<Manifest, 'journalFolder'>): JournalPlace {
  const lock = join(collection, 'journal', 'LOCK');
  return { directory: join(collection, generation?.journalFolder ?? 'journal'), lock };
}

/** Request ids of so many changes, the last ones, are remembered whatever is trimmed. */
export const rememberedRequests = 100_000;

/** Changes that are removed in one commit. */
const trimmedAtOnce = 5000;

/** The changes that somebody asked for were trimmed: every kept generation has them in it. */
export class Trimmed extends NighError {
  constructor(directory: string, wanted: number, first: number) {
    super('FORMAT', `${directory}: expected the change ${wanted}, and the journal begins with ${first}.`);
  }
}

/** What this release writes. */
const version = 1;

/** Beside the changes themselves a commit writes the pages above them, and those that say which pages are free. */
const roomAroundChanges = 1 << 16;
const mostRoomToTrim = 1 << 24;

export class Journal {
  readonly directory: string;
  readonly #lock: string;
  readonly #write: boolean;
  #store: Store;
  /** Whether a commit failed: lmdb may then take no other until it is opened anew. */
  #failed = false;
  /** Bytes of the file that the disk has given. */
  #room = 0;
  #closed = false;

  private constructor({ directory, lock }: JournalPlace, store: Store, write: boolean) {
    this.directory = directory;
    this.#lock = lock;
    this.#write = write;
    this.#store = store;
  }

  get #root(): Store['root'] {
    return this.#store.root;
  }

  get #entries(): Store['entries'] {
    return this.#store.entries;
  }

  get #requests(): Store['requests'] {
    return this.#store.requests;
  }

  get #state(): Store['state'] {
    return this.#store.state;
  }

  /** Whether there is one. */
  static exists({ directory }: JournalPlace): boolean {
    return existsSync(join(directory, journalFile));
  }

  /**
   * Refuses the loss of a journal.
   * @param included the last change that a generation has in it; 0 where nothing was ever changed
   * @throws NighError NOT_FOUND
   */
  static requireKnown(place: JournalPlace, included: number): void {
    if (included === 0 || Journal.exists(place)) return;
    throw new NighError(
      'NOT_FOUND',
      `${place.directory}: there is no journal, and the generation was made with ${included} of its changes. Restore a backup, or build the collection again without what the journal held.`,
    );
  }

  /**
   * Opens a journal, for writing also where there is none yet; the caller then holds the writer's lock.
   * @param included the number of the last change that the live generation has in it: the journal goes on after it
   * @throws NighError IO, FORMAT, VERSION_UNSUPPORTED, TRUNCATED; LOCKED while it is written to and lies where this process cannot write
   */
  static async open(place: JournalPlace, included: number, write: boolean): Promise<Journal> {
    const { directory, lock } = place;
    if (write && !Journal.exists(place)) await Journal.#create(place, included);
    else {
      const path = join(directory, journalFile);
      await checkDataFile(path, write, existsSync(lock));
      await checkPages(path);
    }
    const journal = new Journal(place, await openStore(directory, write), write);
    try {
      journal.#check();
      if (write) {
        // Whoever made it may have ended before its name was on disk.
        await flush(directory);
        await flush(dirname(directory));
        if (journal.head < included) await journal.#commit(0, () => [journal.#state.put('head', included)]);
      }
      return journal;
    } catch (cause) {
      await journal.close();
      throw cause;
    }
  }

  /** Makes a journal beside its place and moves it there, so that whoever ends in between leaves none, and what is there is whole. */
  static async #create({ directory, lock }: JournalPlace, included: number): Promise<void> {
    const draft = join(directory, 'new');
    try {
      await rm(draft, { recursive: true, force: true });
      const journal = new Journal({ directory: draft, lock }, await openStore(draft, true), true);
      try {
        await journal.#commit(0, () => [journal.#state.put('version', version), journal.#state.put('head', included)]);
      } finally {
        await journal.close();
      }
      await flush(join(draft, journalFile));
      await rename(join(draft, journalFile), join(directory, journalFile));
      await rm(draft, { recursive: true, force: true });
    } catch (cause) {
      if (cause instanceof NighError) throw cause;
      throw new NighError('IO', `${directory}: no journal can be made: ${reasonOf(cause)}`, { cause });
    }
  }

  /** lmdb uses a page again once nobody who is listed reads it: who is not would read what is being written. */
  #requireQuiet(): void {
    if (this.#store.isListed || !existsSync(this.#lock)) return;
    throw new NighError(
      'LOCKED',
      `${this.directory}: a process writes to it, and would not know of a reader on a file system that is mounted read-only: mount it to be written to.`,
    );
  }

  #check(): void {
    this.#requireQuiet();
    const found = this.#read(() => this.#state.get('version'));
    if (found === undefined)
      throw new NighError('FORMAT', `${this.directory}: expected a journal, and it has no version.`);
    if (found > version) {
      throw new NighError(
        'VERSION_UNSUPPORTED',
        `${this.directory}: written as version ${found}; this release reads up to ${version}.`,
      );
    }
    const last = this.#read(() => [...this.#entries.getKeys({ reverse: true, limit: 1 })][0]) ?? 0;
    if (last > this.head) {
      throw new NighError('FORMAT', `${this.directory}: has a change ${last}, after what it says is its last.`);
    }
  }

  /** The number of the last change that was made durable, by any process; 0 before the first. */
  get head(): number {
    this.#root.resetReadTxn();
    return this.#read(() => this.#state.get('head')) ?? 0;
  }

  /** How many changes there are after this one. */
  entriesAfter(sequence: number): number {
    this.#root.resetReadTxn();
    return this.#read(() => this.#entries.getKeysCount({ start: sequence + 1 }));
  }

  /** The number of the last change that was trimmed: those after it are here. */
  get trimmed(): number {
    this.#root.resetReadTxn();
    return this.#read(() => this.#first() - 1);
  }

  /** The first change that is here; one after the head where there is none. */
  #first(): number {
    const [first] = this.#entries.getKeys({ limit: 1 });
    return first ?? (this.#state.get('head') ?? 0) + 1;
  }

  /** Bytes on disk. */
  async bytes(): Promise<number> {
    return (await stat(join(this.directory, journalFile))).size;
  }

  /**
   * The changes after this one, in their order, at most so many; none only where this one is the last.
   * @throws NighError Trimmed, CHECKSUM_MISMATCH, FORMAT, LOCKED as `open`
   */
  after(sequence: number, most: number): Entry[] {
    this.#requireQuiet();
    this.#root.resetReadTxn();
    return this.#read(() => {
      const head = this.#state.get('head') ?? 0;
      const wanted = Math.min(most, head - sequence);
      if (wanted <= 0) return [];
      const first = this.#first();
      if (first > sequence + 1) throw new Trimmed(this.directory, sequence + 1, first);
      const entries: Entry[] = [];
      for (const { key, value } of this.#entries.getRange({ start: sequence + 1, limit: wanted })) {
        if (key !== sequence + 1 + entries.length) break;
        entries.push(unpackEntry(key, value, this.directory));
      }
      if (entries.length === wanted) return entries;
      throw new NighError('FORMAT', `${this.directory}: the change ${sequence + 1 + entries.length} is missing.`);
    });
  }

  /**
   * Removes the changes up to this one, and the ids of their requests but for the last ones. A crash leaves some of them, the later ones.
   * Nothing may be appended meanwhile.
   * @param remembered request ids of so many changes stay
   * @returns how many changes were removed
   * @throws NighError IO, FORMAT
   */
  async trim(upTo: number, remembered = rememberedRequests): Promise<number> {
    const { head } = this;
    const forgotten = Math.min(upTo, head - remembered);
    let removed = 0;
    // Pages that are removed from are written anew, at worst all of them.
    const room = Math.min(this.#used, mostRoomToTrim);
    for (;;) {
      const some = this.#read(() => [...this.#entries.getKeys({ end: upTo + 1, limit: trimmedAtOnce })]);
      if (some.length === 0) break;
      await this.#commit(room, () => some.map((sequence) => this.#entries.remove(sequence)));
      removed += some.length;
      this.#root.resetReadTxn();
    }
    const requests =
      forgotten <= 0
        ? []
        : this.#read(() =>
            [...this.#requests.getRange({})].flatMap(({ key, value }) => (value.sequence <= forgotten ? [key] : [])),
          );
    for (let at = 0; at < requests.length; at += trimmedAtOnce) {
      const ids = requests.slice(at, at + trimmedAtOnce);
      await this.#commit(room, () => ids.map((id) => this.#requests.remove(id)));
    }
    return removed;
  }

  /** What lmdb finds wrong with its pages is a fault of the file. */
  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof NighError) throw cause;
      throw new NighError('FORMAT', `${this.directory}: the journal cannot be read: ${reasonOf(cause)}`, { cause });
    }
  }

  /** What a request was answered with, if it was made before. */
  answerTo(requestId: string): Acknowledgement | undefined {
    this.#root.resetReadTxn();
    return this.#read(() => this.#requests.get(requestId));
  }

  /**
   * Makes changes durable, all or none. Resolves after they were flushed to disk.
   * @param settled numbered on from the head
   * @throws NighError IO; whether they were made is known after `recover`. LOCKED where another process has written; then they were not
   */
  async append(settled: readonly Settled[]): Promise<void> {
    const last = settled.at(-1)?.acknowledgement.sequence;
    if (last === undefined) return;
    await this.recover();
    const { head } = this;
    if (settled[0]!.acknowledgement.sequence !== head + 1) {
      throw new NighError('LOCKED', `${this.directory}: another process has written to it, up to the change ${head}.`);
    }
    const entries = [
      ...this.#withoutUsers(settled),
      ...settled.map(({ change, acknowledgement }) => [acknowledgement.sequence, change] as const),
    ].map(([sequence, change]) => [sequence, packEntry(change)] as const);
    const bytes = entries.reduce((sum, [, packed]) => sum + packed.length, 0);
    await this.#commit(3 * bytes, () => [
      ...entries.map(([sequence, packed]) => this.#entries.put(sequence, packed)),
      ...settled.flatMap(({ requestId, acknowledgement }) =>
        requestId === undefined ? [] : [this.#requests.put(requestId, acknowledgement)],
      ),
      this.#state.put('head', last),
    ]);
  }

  /** What is left of the changes that hold interactions of users who are being forgotten. */
  #withoutUsers(settled: readonly Settled[]): Map<number, Change> {
    const forgotten = new Set(settled.flatMap(({ change }) => (change.type === 'forget' ? [change.user] : [])));
    const left = new Map<number, Change>();
    if (forgotten.size === 0) return left;
    const erase = (sequence: number, change: Change) => {
      if (change.type !== 'interactions' || !change.events.some(({ user }) => forgotten.has(user))) return;
      left.set(sequence, { ...change, events: change.events.filter(({ user }) => !forgotten.has(user)) });
    };
    this.#read(() => {
      for (const { key, value } of this.#entries.getRange({})) {
        erase(key, unpackEntry(key, value, this.directory).change);
      }
    });
    return left;
  }

  /** A copy as it is at one moment, while it may be written to. @param folder where `data.mdb` is to lie; made @throws NighError IO, LOCKED as `open` */
  async copyTo(folder: string): Promise<void> {
    this.#requireQuiet();
    try {
      await this.#root.backup(folder, true);
    } catch (cause) {
      throw new NighError('IO', `${folder}: the journal cannot be copied: ${reasonOf(cause)}`, { cause });
    }
  }

  /** @param bytes of what is written, at most */
  async #commit(bytes: number, writes: () => readonly Promise<unknown>[]): Promise<void> {
    await this.recover();
    const wanted = bytes + roomAroundChanges;
    const used = this.#used;
    if (this.#room < used + wanted) this.#room = await makeRoom(join(this.directory, journalFile), used, wanted);
    try {
      await commit(this.#store, writes);
    } catch (cause) {
      this.#failed = true;
      throw new NighError('IO', `${this.directory}: the change could not be made durable: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }

  /**
   * After a commit that failed: opens the journal anew, since lmdb may take no other commit, and reads whether the disk has it all the same.
   * Either way what is read from then on is on disk. Does nothing where none failed.
   * @throws NighError IO; it can be called again
   */
  async recover(): Promise<void> {
    if (!this.#failed) return;
    await tryOpening(this.directory, false);
    await this.#root.close();
    this.#store = await openStore(this.directory, true);
    this.#room = 0;
    this.#failed = false;
    // The pages of that commit were flushed before the one that names them, which may only be remembered by the system: named once more.
    const { head } = this;
    await this.#commit(0, () => [this.#state.put('head', head)]);
  }

  get #used(): number {
    return this.#read(() => usedBytes(this.#store));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const path = join(this.directory, journalFile);
    const used = this.#write && !this.#failed ? this.#used : undefined;
    await this.#root.close();
    if (used === undefined) return;
    await giveRoomBack(path, used);
    // Whoever reads next need not ask whether what is missing was ever there.
    await checkDataFile(path, true, true);
  }
}
