/** What a pass over everybody asks, made once: which rows, in which order, which spaces, which filter. */
import { createHash } from 'node:crypto';
import type { Collection } from '../collection.js';
import { RequestFilter } from '../filters/request-filter.js';
import { defaultStages } from '../pipeline/answer.js';
import { wantsReranking } from '../pipeline/reranking.js';
import type { Stages } from '../pipeline/stages.js';
import type { AnyQuery } from '../query-options.js';
import { nothing } from '../questions/part.js';
import type { Space } from '../space.js';
import type { Taste } from '../taste.js';
import type { NeighborsQuery } from './options.js';

export interface NeighborsPlan extends NeighborsQuery {
  readonly collection: Collection;
  readonly stages: Stages;
  /** The rows of this shard in their order: by id, by its UTF-8 bytes. Items or users by number. */
  readonly rows: Uint32Array;
  /** So many rows are searched, and written, at a time. Depends on nothing but the question and the collection. */
  readonly blockRows: number;
  /** What one search may answer, in the order in which they are asked; undefined where each row is a question of its own. */
  readonly spaces: readonly Space[] | undefined;
  /** What every row's filter has in common. */
  readonly filter: RequestFilter;
  /** How a user's past becomes a taste. */
  readonly taste: Taste;
  /** Equal for passes that give the same rows. */
  readonly fingerprint: string;
}

const mostBlockRows = 4096;
/** Where each row is a question of its own, so that progress is told, and kept, often enough. */
const mostAskedRows = 512;
/** Neighbours of a block: at 16 bytes each some 16 MB. */
const mostNeighbors = 1 << 20;
/** Values of a block's queries: 16 MB. */
const mostValues = 1 << 22;

/** @throws NighError UNKNOWN_SPACE, INVALID_ARGUMENT, UNKNOWN_OPTION */
export function planNeighbors(collection: Collection, stages: Stages, asked: NeighborsQuery): NeighborsPlan {
  const { of, shard, query } = asked;
  const { catalogue, users, manifest } = collection;
  const all = of === 'items' ? catalogue.sorted : users.sorted;
  const [begin, end] = [shard.number - 1, shard.number].map((n) => Math.floor((n * all.length) / shard.of));
  const spaces = isOneSearch(collection, stages, query) ? collection.spacesFor(query) : undefined;
  if (query.space !== undefined) collection.requireSpace(query.space);
  return {
    ...asked,
    collection,
    stages,
    rows: all.subarray(begin, end),
    blockRows: blockRowsOf(query.k, spaces),
    spaces,
    filter: sharedFilter(collection, query),
    taste: { ...manifest.taste, ...query.taste },
    fingerprint: fingerprintOf(collection, asked),
  };
}

/** Whether one search of one space is the whole answer to each row, which all rows can then share. */
function isOneSearch(collection: Collection, stages: Stages, query: AnyQuery): boolean {
  const { weights, space, fusion, candidates } = query;
  const isDefault = (Object.keys(defaultStages) as (keyof Stages)[]).every(
    (name) => stages[name] === defaultStages[name],
  );
  const weighsSpaces =
    space === undefined &&
    Object.keys(weights ?? {}).some((name) => collection.spaces.some((candidate) => candidate.name === name));
  return isDefault && !weighsSpaces && fusion === 'sum' && candidates === undefined && !wantsReranking(query);
}

function blockRowsOf(k: number, spaces: readonly Space[] | undefined): number {
  const most = Math.max(1, Math.floor(mostNeighbors / (k + 1)));
  if (spaces === undefined) return Math.min(mostAskedRows, most);
  const dim = spaces.reduce((most, { similar, forUsers }) => Math.max(most, similar.dim, forUsers.dim), 1);
  return Math.max(1, Math.min(mostBlockRows, most, Math.floor(mostValues / dim)));
}

/** Ids that the collection does not have cannot come back anyway. */
function sharedFilter({ catalogue, filters, stoplists }: Collection, { where, allow, deny }: AnyQuery): RequestFilter {
  const ordinals = (ids: readonly string[]) => Uint32Array.from(ids.flatMap((id) => catalogue.find(id) ?? []));
  return new RequestFilter({
    isLive: (item) => catalogue.isLive(item),
    hidden: stoplists.hidden,
    where: where === undefined ? undefined : filters.setOf(where),
    allow: allow === undefined ? undefined : ordinals(allow),
    deny: deny === undefined ? nothing : ordinals(deny),
    seen: nothing,
    asked: nothing,
  });
}

function fingerprintOf({ manifest, sequence, stoplists }: Collection, { of, shard, query }: NeighborsQuery): string {
  const { signal: _, where, boosts, ...plain } = query;
  const asked = {
    generation: [manifest.name, manifest.generation, manifest.createdAt],
    ...(sequence === 0 ? {} : { sequence }),
    hidden: [...stoplists.lists],
    of,
    shard,
    query: { ...plain, where: where?.key, boosts: boosts.map((boost) => [boost.where.key, boost.by]) },
  };
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex');
}
