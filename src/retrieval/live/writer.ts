/**
 * The one writer of a collection.
 *
 * Changes wait in a queue. What has gathered there while the disk was busy is settled and made durable together, and answered after it was
 * flushed and applied: so a flush serves many, and an answer says that the change is durable and that the next question sees it. A change
 * that needs to know what another one of the same batch makes of its item or user waits for the next batch.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NighError } from '../../core/errors.js';
import { BuildLock } from '../build-lock.js';
import { liveGeneration, readManifest } from '../generation.js';
import type { Change, InteractionEvent } from '../journal/entry.js';
import { Journal, journalPlace, type Settled } from '../journal/journal.js';
import type { Acknowledgement } from '../journal/store.js';
import type { ItemFields } from './item-fields.js';
import type { LiveCollection } from './live-collection.js';

/** What somebody wants changed. */
export type Request =
  | { readonly type: 'upsert'; readonly id: string; readonly fields: ItemFields }
  | { readonly type: 'delete'; readonly id: string }
  | { readonly type: 'interactions'; readonly events: readonly InteractionEvent[] }
  | { readonly type: 'forget'; readonly user: string };

interface Waiting {
  readonly request: Request;
  readonly requestId: string | undefined;
  readonly resolve: (acknowledgement: Acknowledgement) => void;
  readonly reject: (error: unknown) => void;
}

/** Whoever answers from a state of the collection. */
export interface Follower {
  readonly live: LiveCollection;
}

const mostAtOnce = 256;

export class Writer {
  readonly journal: Journal;
  readonly #lock: BuildLock;
  readonly #followers = new Set<Follower>();
  #queue: Waiting[] = [];
  readonly #betweenBatches: (() => Promise<void>)[] = [];
  #draining: Promise<void> | undefined;
  #sequence: number;
  /** Whether the journal may hold changes that the followers do not have, since making them failed halfway. */
  #isBehind = false;
  #closing = false;

  private constructor(journal: Journal, lock: BuildLock) {
    this.journal = journal;
    this.#lock = lock;
    this.#sequence = journal.head;
  }

  /** @throws NighError LOCKED naming the process that writes, UNKNOWN_COLLECTION, NOT_FOUND where the journal is lost, IO, FORMAT, VERSION_UNSUPPORTED */
  static async open(collection: string): Promise<Writer> {
    await requireLive(collection);
    const { lock: lockPath } = journalPlace(collection);
    const directory = dirname(lockPath);
    try {
      await mkdir(directory, { recursive: true });
    } catch (cause) {
      throw new NighError('IO', `${directory}: cannot be made: ${(cause as Error).message}`, { cause });
    }
    const lock = await BuildLock.at(lockPath, 'writing to this collection');
    try {
      for (const name of await readdir(directory)) {
        // What a killed process left of taking the lock.
        if (/^LOCK\.[0-9a-f.]+draft$/.test(name)) await rm(join(directory, name), { force: true });
      }
      // Under the lock: from here on the journal that is live stays that.
      const manifest = await readManifest(join(collection, await requireLive(collection)));
      const [place, included] = [journalPlace(collection, manifest), manifest.journal ?? 0];
      Journal.requireKnown(place, included);
      return new Writer(await Journal.open(place, included, true), lock);
    } catch (cause) {
      await lock.release();
      throw cause;
    }
  }

  /** A retriever that is to see every change before it is answered. */
  attach(follower: Follower): void {
    this.#followers.add(follower);
  }

  /** The last one to go closes the journal and lets another process write. */
  async detach(follower: Follower): Promise<void> {
    this.#followers.delete(follower);
    await this.leave();
  }

  /** Closes the journal and lets another process write, unless somebody is attached. */
  async leave(): Promise<void> {
    if (this.#followers.size > 0 || this.#closing) return;
    this.#closing = true;
    while (this.#draining !== undefined) await this.#draining;
    try {
      await this.journal.close();
    } finally {
      await this.#lock.release();
    }
  }

  /**
   * Makes a change durable and visible.
   * @throws NighError IO where the disk failed: it may be made or not, and sent again with its request id it is made once; CLOSED; and what is
   * wrong with the change itself, which is then not made
   */
  submit(request: Request, requestId: string | undefined): Promise<Acknowledgement> {
    if (this.#closing) return Promise.reject(new NighError('CLOSED', 'The collection was closed.'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, requestId, resolve, reject });
      this.#start();
    });
  }

  /** Runs between two batches: nothing is written meanwhile. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#betweenBatches.push(() => work().then(resolve, reject));
      this.#start();
    });
  }

  #start(): void {
    if (this.#draining !== undefined) return;
    const between = this.#betweenBatches.shift();
    if (between === undefined && this.#queue.length === 0) return;
    this.#draining = (between === undefined ? this.#drain() : between()).finally(() => {
      this.#draining = undefined;
      this.#start();
    });
  }

  async #drain(): Promise<void> {
    const batch = this.#take();
    try {
      await this.#catchUp();
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    const settled: (Settled & { readonly waiting: readonly Waiting[] })[] = [];
    const byRequest = new Map<string, Waiting[]>();
    let sequence = this.#sequence;
    for (const waiting of batch) {
      const { requestId, request } = waiting;
      try {
        const known = requestId === undefined ? undefined : this.journal.answerTo(requestId);
        if (known !== undefined) {
          waiting.resolve(known);
          continue;
        }
        const twins = requestId === undefined ? undefined : byRequest.get(requestId);
        if (twins !== undefined) {
          twins.push(waiting);
          continue;
        }
        const { change, existed } = await this.#settle(request);
        sequence += 1;
        const acknowledgement = { sequence, ...(existed === undefined ? {} : { existed }) };
        const all = [waiting];
        if (requestId !== undefined) byRequest.set(requestId, all);
        settled.push({ change, requestId, acknowledgement, waiting: all });
      } catch (error) {
        waiting.reject(error);
      }
    }
    if (settled.length === 0) return;
    try {
      this.#isBehind = true;
      await this.journal.append(settled);
      await this.#catchUp();
      for (const { waiting, acknowledgement } of settled) for (const { resolve } of waiting) resolve(acknowledgement);
    } catch (error) {
      // At once, so that the journal can be read; where that fails too, the next change tries again.
      await this.#catchUp().catch(() => {});
      for (const { waiting } of settled) for (const { reject } of waiting) reject(error);
    }
  }

  /** Numbers the next change after what the journal holds, and shows that to the followers. */
  async #catchUp(): Promise<void> {
    if (!this.#isBehind) return;
    await this.journal.recover();
    this.#sequence = this.journal.head;
    for (const { live } of this.#followers) await live.catchUp(this.journal);
    this.#isBehind = false;
  }

  /** From the front of the queue, as many as need not know of each other. */
  #take(): Waiting[] {
    const known = new Set<string>();
    const changed = new Set<string>();
    let count = 0;
    for (const { request } of this.#queue.slice(0, mostAtOnce)) {
      const needs = needsOf(request);
      if (needs.some(({ what, changes }) => (changes ? known : changed).has(what))) break;
      for (const { what, changes } of needs) {
        known.add(what);
        if (changes) changed.add(what);
      }
      count++;
    }
    const taken = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return taken;
  }

  async #settle(request: Request): Promise<{ change: Change; existed?: boolean }> {
    const [follower] = this.#followers;
    if (follower === undefined) throw new NighError('CLOSED', 'The collection was closed.');
    const { live } = follower;
    switch (request.type) {
      case 'upsert':
        return { change: await live.placer.settle(request.id, request.fields) };
      case 'delete':
        return { change: { type: 'delete', id: request.id }, existed: live.find(request.id) !== undefined };
      case 'forget':
        return { change: { type: 'forget', user: request.user }, existed: live.findUser(request.user) !== undefined };
      case 'interactions':
        for (const { item } of request.events) live.current.catalogue.require(item);
        return { change: { type: 'interactions', events: request.events } };
    }
  }
}

/** @throws NighError UNKNOWN_COLLECTION */
async function requireLive(collection: string): Promise<string> {
  const generation = await liveGeneration(collection);
  if (generation !== undefined) return generation;
  throw new NighError('UNKNOWN_COLLECTION', `${collection}: no collection was built here.`);
}

/** What a change must know of, and whether it changes that so that others must know. */
function needsOf(request: Request): { readonly what: string; readonly changes: boolean }[] {
  switch (request.type) {
    case 'upsert':
    case 'delete':
      return [{ what: `item ${request.id}`, changes: true }];
    case 'forget':
      return [{ what: `user ${request.user}`, changes: true }];
    case 'interactions':
      return request.events.flatMap(({ item, user }) => [
        { what: `item ${item}`, changes: false },
        { what: `user ${user}`, changes: false },
      ]);
  }
}
