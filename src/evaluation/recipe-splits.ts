/** The protocols by name, as `nigh evaluate` has them: what of a dataset is held out. */
import type { CsrMatrix } from '../core/csr-matrix.js';
import { itemCold } from './protocols/item-cold.js';
import { kFold } from './protocols/k-fold.js';
import { leaveOneOut } from './protocols/leave-one-out.js';
import { randomSplit } from './protocols/random-split.js';
import type { Split } from './protocols/split.js';
import { strongGeneralization } from './protocols/strong-generalization.js';
import { temporalSplit } from './protocols/temporal-split.js';

export const protocolNames = [
  'leave-one-out',
  'random',
  'k-fold',
  'strong-generalization',
  'temporal',
  'item-cold',
] as const;

/** What the protocols take; see the files of protocols/. */
export interface ProtocolOptions {
  readonly protocol: (typeof protocolNames)[number];
  readonly seed: number;
  readonly testShare: number;
  readonly folds: number;
  readonly negatives?: number | undefined;
}

interface Interactions {
  readonly interactions: CsrMatrix;
  /** Seconds, parallel to the entries. */
  readonly timestamps?: Float64Array | undefined;
}

/**
 * The first split's training part, split once more as the protocol has it, for choosing parameters. Leave-one-out holds out a random
 * interaction here, as a user's second newest would tell of the newest.
 */
export function validationSplit(
  { interactions, timestamps }: Interactions,
  { train }: Split,
  options: ProtocolOptions,
): Split {
  const times = options.protocol === 'temporal' ? timesOf(train, interactions, timestamps) : undefined;
  return splitsOf({ interactions: train, timestamps: times }, options)[0]!;
}

/** Times parallel to the entries of a part of the interactions with the same rows. */
function timesOf(part: CsrMatrix, whole: CsrMatrix, timestamps: Float64Array | undefined): Float64Array | undefined {
  if (timestamps === undefined) return undefined;
  const times = new Float64Array(part.entries);
  for (let r = 0, at = 0; r < whole.rows; r++) {
    for (let e = whole.offsets[r]!; e < whole.offsets[r + 1]! && at < part.offsets[r + 1]!; e++) {
      if (whole.columns[e] === part.columns[at]) times[at++] = timestamps[e]!;
    }
  }
  return times;
}

export function splitsOf({ interactions, timestamps }: Interactions, options: ProtocolOptions): Split[] {
  const { protocol, seed, testShare, folds, negatives } = options;
  switch (protocol) {
    case 'leave-one-out':
      return [leaveOneOut(interactions, { seed, timestamps, ...(negatives === undefined ? {} : { negatives }) })];
    case 'random':
      return [randomSplit(interactions, { testShare, seed })];
    case 'k-fold':
      return kFold(interactions, { folds, seed });
    case 'strong-generalization':
      return [strongGeneralization(interactions, { userShare: testShare, given: { share: 0.8 }, seed })];
    case 'temporal':
      return [temporalSplit(interactions, { timestamps, testShare })];
    case 'item-cold':
      return [itemCold(interactions, { cold: { share: testShare, seed }, pool: 'cold' })];
  }
}
