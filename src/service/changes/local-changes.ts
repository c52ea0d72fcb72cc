import { NighError } from '../../core/errors.js';
import type { Metrics } from '../metrics.js';
import type { Reloader } from '../reloader.js';
import type { ServedCollection, ServedCollections } from '../served-collections.js';
import type { Change, Changeable, Changed, Changes } from './change.js';

interface Surroundings {
  readonly collections: ServedCollections;
  readonly reloader: Reloader;
  readonly metrics: Metrics;
  /** Called once a compacted generation is served here. */
  readonly onCompacted: (collection: string) => void;
}

/** Changes the collections that this process serves, and serves what a compaction made. */
export class LocalChanges implements Changes {
  readonly #around: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#around = surroundings;
  }

  async apply(name: string, change: Change, requestId: string | undefined): Promise<Changed> {
    const { collections, reloader, metrics, onCompacted } = this.#around;
    const changed = await collections.use(name, (collection) => made(collection, change, requestId));
    metrics.changed(name, change.kind);
    if (change.kind !== 'compact') return changed;
    await reloader.reload(name);
    onCompacted(name);
    return changed;
  }
}

async function made(collection: ServedCollection, change: Change, requestId: string | undefined): Promise<Changed> {
  const options = requestId === undefined ? {} : { requestId };
  switch (change.kind) {
    case 'upsertItem': {
      const { sequence } = await able(collection, 'upsertItem').upsertItem(change.item, change.fields, options);
      return { sequence };
    }
    case 'deleteItem': {
      const { sequence, existed } = await able(collection, 'deleteItem').deleteItem(change.item, options);
      return { sequence, existed };
    }
    case 'addInteractions': {
      const { sequence } = await able(collection, 'addInteractions').addInteractions(change.interactions, options);
      return { sequence };
    }
    case 'forgetUser': {
      const { sequence, existed } = await able(collection, 'forgetUser').forgetUser(change.user, options);
      return { sequence, existed };
    }
    case 'compact': {
      const { generation } = await able(collection, 'compact').compact();
      return { generation };
    }
  }
}

/** @throws NighError UNSUPPORTED for a collection that is no Retriever */
function able<Method extends keyof Changeable>(
  collection: ServedCollection,
  method: Method,
): ServedCollection & Pick<Changeable, Method> {
  if (typeof collection[method] !== 'function') {
    throw new NighError('UNSUPPORTED', `The collection ${collection.info.name} cannot be changed.`);
  }
  return collection as ServedCollection & Pick<Changeable, Method>;
}
