import { type NativeIdSet, native } from '../binding/native.js';
import { callNative } from '../binding/native-error.js';
import { invalidArgument } from '../core/errors.js';
import { type Ids, isUint32, toIds } from './id-list.js';

let read: (set: unknown) => NativeIdSet | undefined;

/**
 * An immutable set of uint32 ids, made once and used by any number of searches: only its members may be returned. "All
 * but these" costs what "only these" costs: 8 KB for every 65,536 ids' range that holds one. Ids that an index does not
 * hold are harmless.
 *
 * ```ts
 * const unseen = IdSet.deny(seen);
 * const { ids } = await index.search(query, 10, { filter: unseen.and(IdSet.allow(inStock)) });
 * ```
 */
export class IdSet {
  readonly #native: NativeIdSet;

  static {
    // Not instanceof, which an object without the set inside can pass.
    read = (set) => (typeof set === 'object' && set !== null && #native in set ? set.#native : undefined);
  }

  private constructor(set: NativeIdSet) {
    this.#native = set;
  }

  /**
   * Only these ids. The ids are copied; repeated ones count once.
   * @throws NighError INVALID_ARGUMENT, OUT_OF_MEMORY
   */
  static allow(ids: Ids): IdSet {
    const list = toIds('ids', ids);
    return new IdSet(callNative(() => native().IdSet.allow(list)));
  }

  /**
   * All ids but these. The ids are copied; repeated ones count once.
   * @throws NighError INVALID_ARGUMENT, OUT_OF_MEMORY
   */
  static deny(ids: Ids): IdSet {
    const list = toIds('ids', ids);
    return new IdSet(callNative(() => native().IdSet.deny(list)));
  }

  /** The ids that are members of both. @throws NighError INVALID_ARGUMENT, OUT_OF_MEMORY */
  and(other: IdSet): IdSet {
    const right = nativeIdSet('other', other);
    return new IdSet(callNative(() => this.#native.and(right)));
  }

  /** The ids that are members of either. @throws NighError INVALID_ARGUMENT, OUT_OF_MEMORY */
  or(other: IdSet): IdSet {
    const right = nativeIdSet('other', other);
    return new IdSet(callNative(() => this.#native.or(right)));
  }

  /** The ids that are not members. @throws NighError OUT_OF_MEMORY */
  not(): IdSet {
    return new IdSet(callNative(() => this.#native.not()));
  }

  /**
   * Whether an id is a member.
   * @throws NighError INVALID_ARGUMENT
   */
  has(id: number): boolean {
    if (!isUint32(id)) throw invalidArgument('id', 'an integer from 0 to 4294967295', id);
    return this.#native.has(id);
  }
}

/**
 * The native set inside an IdSet; not part of the package's interface.
 * @throws NighError INVALID_ARGUMENT
 */
export function nativeIdSet(name: string, set: unknown): NativeIdSet {
  const inside = read(set);
  if (inside === undefined) throw invalidArgument(name, 'an IdSet', set);
  return inside;
}
