import type { Collection } from './collection.js';
import type { Acknowledgement } from './journal/store.js';
import type { CompactOptions } from './live/compact.js';
import type { Compaction, JournalInfo } from './live/open-collection.js';
import type { Request } from './live/writer.js';

/** Where a Retriever takes its answers from: a directory with its journal (live/), or a generation elsewhere (fixed-collection.ts). */
export interface CollectionSource {
  readonly isClosed: boolean;
  /** What a question is answered from, from its begin to its end. @throws NighError CLOSED */
  readonly state: Collection;
  /** Another number for every state but those that differ in stoplists alone. */
  readonly revision: number;
  readonly journal: JournalInfo | undefined;
  /** Closing waits for it. */
  tracked<T>(work: Promise<T>): Promise<T>;
  /** @throws NighError READ_ONLY, IO, CLOSED, and what is wrong with the change */
  submit(request: Request, requestId: string | undefined): Promise<Acknowledgement>;
  catchUp(sequence: number | undefined): Promise<number>;
  compact(options: CompactOptions): Promise<Compaction>;
  /** The name of the generation that is live now; undefined where it is gone. */
  liveGeneration(): Promise<string | undefined>;
  /** That generation, opened beside this one. */
  reopen(): Promise<CollectionSource>;
  close(): Promise<void>;
}
