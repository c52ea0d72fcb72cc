import type { InteractionInput, ItemFields } from '../../retrieval/live/item-fields.js';
import type { Retriever } from '../../retrieval/retriever.js';

/** One change of a collection, as plain data: it may have to go to the process that writes. */
export type Change =
  | { readonly kind: 'upsertItem'; readonly item: string; readonly fields: ItemFields }
  | { readonly kind: 'deleteItem'; readonly item: string }
  | { readonly kind: 'addInteractions'; readonly interactions: readonly InteractionInput[] }
  | { readonly kind: 'forgetUser'; readonly user: string }
  | { readonly kind: 'compact' };

/** What a change did; durable once it is told. */
export interface Changed {
  /** Of the journal: what has applied it has applied this and everything before. */
  readonly sequence?: number;
  /** Whether what was to be removed was there. */
  readonly existed?: boolean;
  /** What a compaction made. */
  readonly generation?: string;
}

/** Where changes go: to the collection of this process, or to the process that writes. */
export interface Changes {
  /**
   * @param requestId a change that was made under it before is not made again, and has the same answer
   * @throws NighError UNKNOWN_COLLECTION, UNSUPPORTED for a collection that is not on disk, READ_ONLY for one that is not open for
   * writing, NOT_READY while the process that writes is starting, and what the change throws
   */
  apply(collection: string, change: Change, requestId: string | undefined): Promise<Changed>;
}

/** The part of a Retriever that changes its collection, and tells of changes. */
export type Changeable = Pick<
  Retriever,
  'upsertItem' | 'deleteItem' | 'addInteractions' | 'forgetUser' | 'compact' | 'catchUp' | 'journal'
>;
