import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { integer, number, optional, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from './dataset.js';
import { subsetDataset } from './dataset-subset.js';

const schema = {
  minValue: optional(number()),
  minUserInteractions: integer({ default: 1, min: 1 }),
  minItemInteractions: integer({ default: 0, min: 0 }),
  maxUserInteractions: optional(integer({ min: 1 })),
  maxUserDeviations: optional(number({ above: 0 })),
};

/**
 * The key `filter` that every dataset of a recipe may have: what is too thin to learn from is left out of the collection.
 *
 * - `minValue`: interactions below this value are left out, judged after duplicates are merged (a film rated 5 and later 2 counts
 *   as 2). They are then not "seen" either. Default: every value stays.
 * - `minUserInteractions`: users with fewer interactions are left out with their interactions. Default 1.
 * - `minItemInteractions`: items with fewer interactions are left out of the catalogue. Default 0: items nobody has touched stay,
 *   for the spaces made from content.
 * - `maxUserInteractions`: users with more interactions are left out with them, as robots and shared accounts. Default: nobody is.
 * - `maxUserDeviations`: so are users who have more interactions than the mean user by more than so many standard deviations.
 *
 * The two maxima are judged first, once, after `minValue`, over the users who then have an interaction. The two minima hold together at the end: leaving out a user can push an item below its minimum, and so on (the k-core).
 */
export type InteractionFilter = ParamsOf<typeof schema>;

/** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT with the path of the key */
export function parseInteractionFilter(value: unknown, path: string): InteractionFilter {
  return readParams(schema, value, path);
}

/**
 * The dataset without what the filter leaves out. Linear in the dataset.
 * @throws NighError EMPTY_DATASET when nothing is left
 */
export function filterInteractions(dataset: Dataset, filter: InteractionFilter): Dataset {
  const bright = filter.minValue === undefined ? dataset : withoutValuesBelow(dataset, filter.minValue);
  const isOutlier = outliers(bright.interactions, filter);
  const { keepItem, keepUser } = core(
    bright.interactions,
    isOutlier,
    filter.minUserInteractions,
    filter.minItemInteractions,
  );
  if (!keepItem.includes(1) || (dataset.interactions.entries > 0 && !keepUser.includes(1))) {
    throw new NighError(
      'EMPTY_DATASET',
      `${dataset.origin.name}: no interactions are left after the filter ${JSON.stringify(filter)}; ` +
        `there were ${dataset.interactions.entries} of ${dataset.users.size} users with ${dataset.items.size} items.`,
    );
  }
  if (!keepItem.includes(0) && !keepUser.includes(0)) return bright;
  return subsetDataset(bright, keepItem, keepUser);
}

/** 1 for users with too many interactions. */
function outliers(
  byUser: CsrMatrix,
  { maxUserInteractions = Number.POSITIVE_INFINITY, maxUserDeviations }: InteractionFilter,
): Uint8Array {
  const counts = degrees(byUser);
  const active = counts.filter((count) => count > 0);
  const mean = byUser.entries / active.length;
  const variance = active.reduce((sum, count) => sum + (count - mean) ** 2, 0) / active.length;
  const byDeviation =
    maxUserDeviations === undefined ? Number.POSITIVE_INFINITY : mean + maxUserDeviations * Math.sqrt(variance);
  return Uint8Array.from(counts, (count) => (count > maxUserInteractions || count > byDeviation ? 1 : 0));
}

function withoutValuesBelow(dataset: Dataset, minValue: number): Dataset {
  const old = dataset.interactions;
  const times = dataset.timestamps;
  const offsets = new Uint32Array(old.rows + 1);
  const keep = old.values.map((value) => (value >= minValue ? 1 : 0));
  const kept = (_: number, entry: number) => keep[entry] === 1;
  for (let user = 0; user < old.rows; user++) {
    let size = offsets[user]!;
    for (let e = old.offsets[user]!; e < old.offsets[user + 1]!; e++) size += keep[e]!;
    offsets[user + 1] = size;
  }
  return {
    ...dataset,
    interactions: new CsrMatrix(old.rows, old.cols, offsets, old.columns.filter(kept), old.values.filter(kept)),
    ...(times === undefined ? {} : { timestamps: times.filter(kept) }),
  };
}

/**
 * The largest set of items and of users who are no outliers in which every user has `minUser` interactions with kept items, and every
 * item `minItem` with kept users: whoever falls below is taken away, and the neighbours are looked at again. Every entry is visited at
 * most twice.
 */
function core(
  byUser: CsrMatrix,
  isOutlier: Uint8Array,
  minUser: number,
  minItem: number,
): { keepItem: Uint8Array; keepUser: Uint8Array } {
  const byItem = byUser.transpose();
  const users = { matrix: byUser, keep: new Uint8Array(byUser.rows).fill(1), degree: degrees(byUser), min: minUser };
  const items = { matrix: byItem, keep: new Uint8Array(byItem.rows).fill(1), degree: degrees(byItem), min: minItem };
  const pending = [
    { side: users, other: items, doomed: doomedAtFirst(users, isOutlier) },
    { side: items, other: users, doomed: doomedAtFirst(items, undefined) },
  ];
  while (pending.some(({ doomed }) => doomed.length > 0)) {
    for (const [at, { side, other, doomed }] of pending.entries()) {
      const next = pending[1 - at]!.doomed;
      for (let row = doomed.pop(); row !== undefined; row = doomed.pop()) {
        for (const neighbour of side.matrix.row(row).columns) {
          other.degree[neighbour]!--;
          if (other.keep[neighbour] === 0 || other.degree[neighbour]! >= other.min) continue;
          other.keep[neighbour] = 0;
          next.push(neighbour);
        }
      }
    }
  }
  return { keepItem: items.keep, keepUser: users.keep };
}

interface Side {
  readonly keep: Uint8Array;
  /** Interactions with the other side's kept rows. */
  readonly degree: Uint32Array;
  readonly min: number;
}

function degrees(matrix: CsrMatrix): Uint32Array {
  return Uint32Array.from({ length: matrix.rows }, (_, row) => matrix.offsets[row + 1]! - matrix.offsets[row]!);
}

/** Takes away the outliers and the rows that are below the minimum from the start, and lists them. */
function doomedAtFirst({ keep, degree, min }: Side, isOutlier: Uint8Array | undefined): number[] {
  const doomed: number[] = [];
  for (let row = 0; row < keep.length; row++) {
    if (degree[row]! >= min && isOutlier?.[row] !== 1) continue;
    keep[row] = 0;
    doomed.push(row);
  }
  return doomed;
}
