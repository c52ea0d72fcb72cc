import type { CsrMatrix } from '../../core/csr-matrix.js';
import { NighError } from '../../core/errors.js';
import { mulberry32, shuffled } from '../../core/random.js';
import { percent } from './random-split.js';
import { entriesWhere, requireCount, requireShare, rowsOf, type Split } from './split.js';

export interface StrongGeneralizationOptions {
  /** Share of the users that no model sees in training. */
  readonly userShare: number;
  /** How much of a held-out user is told: a share of their interactions (`{ share: 0.8 }`), or so many picks (`{ picks: 3 }`). */
  readonly given: { readonly share: number } | { readonly picks: number };
  readonly seed: number;
}

/**
 * Some users are held out whole; a random part of their interactions is told as their history, the rest is asked for (Marlin,
 * "Collaborative filtering: a machine learning perspective", 2004; Liang et al., WWW 2018). With 0 picks, a model knows nothing of them.
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET when a side would have no user
 */
export function strongGeneralization(
  matrix: CsrMatrix,
  { userShare, given, seed }: StrongGeneralizationOptions,
): Split {
  requireShare('userShare', userShare);
  if ('share' in given) requireShare('given.share', given.share);
  else requireCount('given.picks', given.picks, 0);
  const held = Math.round(matrix.rows * userShare);
  if (held === 0 || held === matrix.rows) {
    throw new NighError(
      'EMPTY_DATASET',
      `strong generalisation: ${percent(userShare)} of ${matrix.rows} users leaves none to ${held === 0 ? 'ask' : 'train on'}.`,
    );
  }
  const order = shuffled(matrix.rows, seed);
  const asked = order.slice(0, held).sort();
  const train = rowsOf(matrix, order.slice(held).sort());
  const all = rowsOf(matrix, asked);
  const next = mulberry32(seed + 1);
  const told = new Uint8Array(all.entries);
  for (let r = 0; r < all.rows; r++) {
    const begin = all.offsets[r]!;
    const size = all.offsets[r + 1]! - begin;
    const count = 'share' in given ? Math.floor(size * given.share) : Math.min(given.picks, size);
    // Selection sampling: each interaction is told with the same chance, and exactly `count` are.
    for (let at = 0, left = count; at < size; at++) {
      if ((size - at) * next() >= left) continue;
      told[begin + at] = 1;
      left--;
    }
  }
  const part = 'share' in given ? `${percent(given.share)} of their interactions` : `${given.picks} picks`;
  return {
    name: 'picks' in given ? `new users, ${given.picks} picks` : 'strong generalisation',
    definition: `${percent(userShare)} of the users are held out whole; a random ${part} are told, the rest is asked for (seed ${seed})`,
    train,
    test: entriesWhere(
      all,
      told.map((bit) => 1 - bit),
    ),
    histories: entriesWhere(all, told),
    users: undefined,
  };
}
