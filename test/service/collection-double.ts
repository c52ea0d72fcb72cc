import { NighError } from '../../src/core/errors.js';
import type { Answer, CollectionInfo, Item, QueryOptions } from '../../src/retrieval/types.js';
import type { ServedCollection } from '../../src/service/served-collections.js';

/** What a double was told to change, and what it says of it. */
export interface ChangeLog {
  readonly calls: { method: string; given: unknown[] }[];
  sequence: number;
  /** Written by somebody else, and not applied yet. */
  behind: number;
}

/** A double that can be changed, and its log. */
export function changeableDouble(name = 'double'): { collection: ServedCollection; log: ChangeLog } {
  const log: ChangeLog = { calls: [], sequence: 0, behind: 0 };
  const made =
    (method: string) =>
    async (first: unknown, ...rest: unknown[]) => {
      log.calls.push({ method, given: [first, ...rest] });
      log.sequence += 1;
      return { sequence: log.sequence, existed: first !== 'nothing' };
    };
  const collection: ServedCollection = {
    ...collectionDouble({ name }),
    upsertItem: made('upsertItem'),
    deleteItem: made('deleteItem'),
    addInteractions: made('addInteractions'),
    forgetUser: made('forgetUser'),
    compact: async () => {
      log.calls.push({ method: 'compact', given: [] });
      return { generation: 'gen-1', sequence: log.sequence, folded: 0, trimmed: 0, warnings: [], seconds: 0 };
    },
    catchUp: async () => {
      log.sequence += log.behind;
      log.behind = 0;
      return log.sequence;
    },
    // What reloading needs: this generation is the live one.
    reopen: () => Promise.reject(new Error('not to be opened')),
    liveGeneration: async () => 'gen-1',
    get journal() {
      return { sequence: log.sequence, entries: log.sequence, bytes: 100 * log.sequence };
    },
  };
  return { collection, log };
}

/**
 * A collection that answers with what it was asked, for what a real one cannot show: ids of any shape, searches that hang,
 * faults. What the answers hold is tested on a real collection.
 */
export function collectionDouble(
  options: {
    name?: string;
    ids?: readonly string[];
    onSearch?: (signal: AbortSignal | undefined) => Promise<void>;
  } = {},
): ServedCollection {
  const { name = 'double', ids = ['1', '2'], onSearch } = options;
  const info: CollectionInfo = {
    name,
    title: 'A double',
    description: '',
    generation: 'gen-1',
    createdAt: '2024-01-01T00:00:00.000Z',
    dataset: { name: 'none', licence: 'none', source: 'none' },
    items: ids.length,
    users: 0,
    interactions: 0,
    recallFloor: 0.95,
    spaces: [],
    bytesOnDisk: 0,
    buildSeconds: 0,
  };
  const stages = { question: 0, candidates: 0, scoring: 0, reranking: 0, filtering: 0 };
  const answer = async (title: string, search: QueryOptions = {}): Promise<Answer> => {
    await onSearch?.(search.signal);
    return {
      results: [{ id: ids[0] ?? '', score: 1, likeness: 1, title, attributes: {} }],
      stats: {
        plan: 'scan',
        space: 'cf',
        visited: 1,
        distances: 1,
        exact: true,
        generation: 'gen-1',
        stages,
        tookMs: 0,
      },
    };
  };
  return {
    info,
    similarItems: (item, search) => answer(item, search),
    recommend: (user, search) => answer(user, search),
    query: ({ item, user, history, ...search }) =>
      answer([item, user, ...(history ?? []).map((pick) => pick.item)].filter((id) => id !== undefined).join(), search),
    similarUsers: async () => {
      const { stats } = await answer('');
      return { results: [], stats };
    },
    revision: 0,
    item: (id): Item => {
      if (!ids.includes(id)) throw new NighError('UNKNOWN_ITEM', `No item ${JSON.stringify(id)}.`);
      return { id, title: id, attributes: {}, interactions: 0, spaces: ['cf'] };
    },
    findItems: () => [],
  };
}
