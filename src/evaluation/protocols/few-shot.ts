import type { CsrMatrix } from '../../core/csr-matrix.js';
import { invalidArgument } from '../../core/errors.js';
import { shuffled } from '../../core/random.js';
import { coldItems, type ItemColdOptions } from './item-cold.js';
import { requireCount, type Split, splitEntries } from './split.js';

export interface FewShotOptions extends ItemColdOptions {
  /** How many interactions of every cold item are revealed: one split for each, such as 0, 1, 2, 5, 10, 20. */
  readonly shots: readonly number[];
  readonly seed: number;
}

/**
 * Cold items that gather interactions. What is revealed grows from split to split, in an order drawn with the seed; what is asked for is the
 * same in all of them (what the largest number leaves), so that the rows of a table can be compared.
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET
 */
export function fewShot(matrix: CsrMatrix, { cold, pool, shots, seed }: FewShotOptions): Split[] {
  if (shots.length === 0) throw invalidArgument('shots', 'at least one number', shots);
  for (const shot of shots) requireCount('shots', shot, 0);
  const items = coldItems(matrix, cold);
  const isCold = new Uint8Array(matrix.cols);
  for (const item of items) isCold[item] = 1;
  const most = Math.max(...shots);
  // By entry: 0 for warm items, else at which shot it is revealed, from 1.
  const turn = new Uint32Array(matrix.entries);
  const met = new Uint32Array(matrix.cols);
  for (const entry of shuffled(matrix.entries, seed)) {
    const item = matrix.columns[entry]!;
    if (isCold[item] !== 1) continue;
    met[item] = met[item]! + 1;
    turn[entry] = met[item]!;
  }
  return shots.map((shot) => {
    const asked = Uint8Array.from(turn, (each) => (each > most ? 1 : 0));
    const hidden = Uint8Array.from(turn, (each) => (each > shot ? 1 : 0));
    const { train } = splitEntries(matrix, hidden, '', '');
    const split = splitEntries(
      matrix,
      asked,
      `${shot} revealed`,
      `of ${items.length} items, ${shot} interactions each are trained on; asked for are those after the first ${most} (seed ${seed})`,
    );
    return { ...split, train, histories: train, ...(pool === 'cold' ? { pool: items } : {}) };
  });
}
