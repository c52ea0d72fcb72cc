import { breathe } from '../core/abort.js';
import type { CsrMatrix } from '../core/csr-matrix.js';
import type { Matrix } from '../core/matrix.js';

/** Rows between two breaths of the event loop. */
const rowsAtOnce = 4_096;

/**
 * How much of each item the factors explain: the mean score p_u·q_i over the item's own interactions, weighted by confidence, kept
 * within 0 and 1 (training asks for 1). 0 for an item without interactions.
 */
export async function explainedShares(
  usersItems: CsrMatrix,
  users: Matrix,
  items: Matrix,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const scores = new Float64Array(items.rows);
  const weights = new Float64Array(items.rows);
  const { dim } = items;
  for (let user = 0; user < usersItems.rows; user++) {
    if (user % rowsAtOnce === 0) await breathe(signal);
    const p = user * dim;
    for (let e = usersItems.offsets[user]!; e < usersItems.offsets[user + 1]!; e++) {
      // What was disliked asks for 0, and does not count.
      if (!(usersItems.values[e]! > 0)) continue;
      const item = usersItems.columns[e]!;
      const q = item * dim;
      let score = 0;
      for (let d = 0; d < dim; d++) score += users.data[p + d]! * items.data[q + d]!;
      scores[item] = scores[item]! + usersItems.values[e]! * score;
      weights[item] = weights[item]! + usersItems.values[e]!;
    }
  }
  return Float32Array.from(scores, (score, item) => {
    const weight = weights[item]!;
    return weight > 0 ? Math.min(1, Math.max(0, score / weight)) : 0;
  });
}
