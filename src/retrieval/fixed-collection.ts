import { NighError } from '../core/errors.js';
import type { Collection, Generation } from './collection.js';
import type { CollectionSource } from './collection-source.js';
import type { Acknowledgement } from './journal/store.js';
import type { Compaction } from './live/open-collection.js';

export interface FixedCollectionParts {
  readonly generation: Generation;
  /** Where it is, for messages. */
  readonly place: string;
  readonly liveGeneration: () => Promise<string | undefined>;
  readonly reopen: () => Promise<CollectionSource>;
  /** After the last question. */
  readonly onClosed: () => Promise<void>;
}

/** A generation that nobody writes to: changes are refused with READ_ONLY. */
export class FixedCollection implements CollectionSource {
  readonly journal = undefined;
  readonly revision = 0;
  readonly #parts: FixedCollectionParts;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(parts: FixedCollectionParts) {
    this.#parts = parts;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  get state(): Collection {
    const { generation } = this.#parts;
    if (!this.isClosed) return generation;
    throw new NighError('CLOSED', `The collection ${generation.manifest.name} was closed.`);
  }

  tracked<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  async submit(): Promise<Acknowledgement> {
    throw this.#readOnly();
  }

  async catchUp(): Promise<number> {
    return this.state.sequence;
  }

  async compact(): Promise<Compaction> {
    throw this.#readOnly();
  }

  liveGeneration(): Promise<string | undefined> {
    return this.#parts.liveGeneration();
  }

  async reopen(): Promise<CollectionSource> {
    const { stoplists } = this.state;
    const next = await this.#parts.reopen();
    for (const [name, ids] of stoplists.lists) next.state.stoplists.set(name, ids);
    return next;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await Promise.allSettled([...this.#underWay]);
      await this.#parts.generation.closeAll();
      await this.#parts.onClosed();
    })();
    return this.#closing;
  }

  #readOnly(): NighError {
    const { name } = this.#parts.generation.manifest;
    return new NighError(
      'READ_ONLY',
      `The collection ${name} is served from ${this.#parts.place}: change it where it was built, and push it again.`,
    );
  }
}
