import { CsrMatrix } from '../../core/csr-matrix.js';
import { invalidArgument } from '../../core/errors.js';
import { mulberry32 } from '../../core/random.js';
import { requireCount, requireEntries, type Split, splitEntries } from './split.js';

export interface LeaveOneOutOptions {
  readonly seed: number;
  /** Seconds, parallel to the entries: each user's newest interaction is held out (of equal times, that of the smallest item). Default: a random one. */
  readonly timestamps?: Float64Array | undefined;
  /**
   * Ranks the held-out item among so many random items that the user has not, instead of the catalogue. Such figures do not order models
   * as the whole catalogue does (Krichene and Rendle, KDD 2020): for comparison with published ones only.
   */
  readonly negatives?: number;
}

/**
 * One interaction of every user is held out. Users with a single one keep it: they have nothing held out, and are skipped and counted.
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET
 */
export function leaveOneOut(matrix: CsrMatrix, { seed, timestamps, negatives }: LeaveOneOutOptions): Split {
  requireCount('seed', seed, 0);
  requireEntries(matrix, 'leave-one-out', 2);
  if (timestamps !== undefined && timestamps.length !== matrix.entries) {
    throw invalidArgument('timestamps', `${matrix.entries} times, one for every interaction`, timestamps);
  }
  const next = mulberry32(seed);
  const heldOut = new Uint8Array(matrix.entries);
  for (let user = 0; user < matrix.rows; user++) {
    const begin = matrix.offsets[user]!;
    const end = matrix.offsets[user + 1]!;
    // Drawn for every user, so that what one has does not change what is drawn for the next.
    const drawn = next();
    if (end - begin < 2) continue;
    heldOut[timestamps === undefined ? begin + Math.floor(drawn * (end - begin)) : newest(timestamps, begin, end)] = 1;
  }
  const which = timestamps === undefined ? `one random interaction (seed ${seed})` : 'the newest interaction';
  if (negatives === undefined) {
    return splitEntries(matrix, heldOut, 'leave-one-out', `${which} of every user is held out`);
  }
  requireCount('negatives', negatives, 1);
  const split = splitEntries(
    matrix,
    heldOut,
    `leave-one-out, ${negatives} negatives`,
    `${which} of every user is held out and ranked among ${negatives} random items that the user has not; for comparison only`,
  );
  return { ...split, negatives: sampleNegatives(matrix, split.test, negatives, seed) };
}

function newest(timestamps: Float64Array, begin: number, end: number): number {
  let best = begin;
  for (let e = begin + 1; e < end; e++) if (timestamps[e]! > timestamps[best]!) best = e;
  return best;
}

/** For every user with something held out, distinct items that the user has not; all of them where there are no more. */
function sampleNegatives(matrix: CsrMatrix, test: CsrMatrix, count: number, seed: number): CsrMatrix {
  const next = mulberry32(seed + 1);
  const offsets = new Uint32Array(matrix.rows + 1);
  const columns: number[] = [];
  const taken = new Int32Array(matrix.cols).fill(-1);
  for (let user = 0; user < matrix.rows; user++) {
    const asked = test.offsets[user + 1]! > test.offsets[user]!;
    const own = matrix.row(user).columns;
    if (asked) {
      for (const item of own) taken[item] = user;
      const chosen: number[] = [];
      if (matrix.cols - own.length <= count) {
        for (let item = 0; item < matrix.cols; item++) if (taken[item] !== user) chosen.push(item);
      }
      while (chosen.length < Math.min(count, matrix.cols - own.length)) {
        const item = Math.floor(next() * matrix.cols);
        if (taken[item] === user) continue;
        taken[item] = user;
        chosen.push(item);
      }
      columns.push(...chosen.sort((a, b) => a - b));
    }
    offsets[user + 1] = columns.length;
  }
  const values = new Float32Array(columns.length).fill(1);
  return new CsrMatrix(matrix.rows, matrix.cols, offsets, Uint32Array.from(columns), values);
}
