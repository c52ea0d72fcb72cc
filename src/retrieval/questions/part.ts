/** What a question is made of: an item, a user, a history, a vector, a text, a picture. Each may give every space a vector to search with. */
import type { VectorIndex } from '../../index/vector-index.js';
import type { HistoryItems, Space } from '../space.js';

/** A vector, and the index of the space that it is compared with. */
export interface Probe {
  readonly index: VectorIndex;
  readonly vector: Float32Array;
}

export type PartKind = 'item' | 'user' | 'history' | 'vector' | 'text' | 'image';

/** One part of a question. */
export interface Part {
  readonly kind: PartKind;
  /** What a space is asked with; undefined where it has nothing to go by. */
  probe(space: Space): Promise<Probe | undefined>;
  /** The items that stand for who asks, with what each weighs; none for a vector, a text or a picture. */
  readonly items: HistoryItems;
  /** Items of the catalogue that are no answer to it, whatever else is asked: the item itself. */
  readonly asked: Uint32Array;
  /** What they have, which is left out unless it is wanted. */
  readonly seen: Uint32Array;
  /** Why no space could be asked, without its end: `The item "7" has no vector`. */
  readonly lack: string;
}

export const noItems: HistoryItems = { items: new Uint32Array(0), weights: new Float32Array(0) };
export const nothing = new Uint32Array(0);
