/**
 * How much lists move. One that never does ignores what people do; one that is another every day is not trusted.
 *
 *   responsiveness   the list of a history without one event against the list of the whole: 1 − overlap, mean over users
 *   churn            the lists of a model trained without a tenth of the interactions against those with them: 1 − overlap, mean over users
 *
 * Both by the share of k places, without what the whole history has: an event does not count for leaving the list.
 */
import { breathe } from '../core/abort.js';
import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { mulberry32, shuffled } from '../core/random.js';
import { churn } from './list-metrics.js';
import type { FitContext, RankingModel, Trainer } from './model.js';
import { entriesWhere, requireCount, rowsOf, type Split } from './protocols/split.js';
import { topItems } from './top-items.js';

export interface StabilityContext extends FitContext {
  /** Length of the lists. */
  readonly k: number;
}

export interface Stability {
  /** 0: new events change nothing, 1: everything. 0 for a model that does not read histories. */
  readonly responsiveness: number;
  readonly churn: number;
  /** Users whose lists were compared. */
  readonly users: number;
}

const usersAtOnce = 256;

/**
 * Fits twice, to all of the training part and to nine tenths of it drawn with the seed, and compares lists of the users with two events
 * or more. Which event is left out is drawn with the seed, too.
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET where nobody has two events, ABORTED, and what the trainer throws
 */
export async function measureStability(
  trainer: Trainer<RankingModel>,
  { train, histories, users }: Split,
  context: StabilityContext,
): Promise<Stability> {
  const { k, seed, signal } = context;
  requireCount('k', k, 1);
  const asked = Uint32Array.from({ length: histories.rows }, (_, r) => r).filter(
    (r) => histories.offsets[r + 1]! - histories.offsets[r]! >= 2,
  );
  if (asked.length === 0) throw new NighError('EMPTY_DATASET', `${trainer.name}: no user has two events or more.`);
  const whole = rowsOf(histories, asked);
  const known = users && asked.map((r) => users[r]!);
  const model = await trainer.fit(train, context);
  const lists = (of: RankingModel, given: CsrMatrix, who: Uint32Array | undefined) =>
    listsOf(of, given, whole, who, k, signal);
  const after = await lists(model, whole, known);
  const told = await lists(model, whole, undefined);
  const before = await lists(model, withoutOne(whole, seed), undefined);
  const keep = new Uint8Array(train.entries).fill(1);
  for (const entry of shuffled(train.entries, seed).subarray(0, Math.floor(train.entries / 10))) keep[entry] = 0;
  const earlier = await trainer.fit(entriesWhere(train, keep), context);
  return {
    responsiveness: churn(before, told, k),
    churn: churn(await lists(earlier, whole, known), after, k),
    users: asked.length,
  };
}

/** Every row without one entry, drawn with the seed. */
function withoutOne(histories: CsrMatrix, seed: number): CsrMatrix {
  const next = mulberry32(seed);
  const keep = new Uint8Array(histories.entries).fill(1);
  for (let r = 0; r < histories.rows; r++) {
    const begin = histories.offsets[r]!;
    keep[begin + Math.floor(next() * (histories.offsets[r + 1]! - begin))] = 0;
  }
  return entriesWhere(histories, keep);
}

/** The first k items by what is `given`, without those of the `whole` histories. */
async function listsOf(
  model: RankingModel,
  given: CsrMatrix,
  whole: CsrMatrix,
  users: Uint32Array | undefined,
  k: number,
  signal: AbortSignal | undefined,
): Promise<number[][]> {
  const skip = new Int32Array(whole.cols).fill(-1);
  const lists: number[][] = [];
  const all = Uint32Array.from({ length: whole.rows }, (_, r) => r);
  for (let begin = 0; begin < whole.rows; begin += usersAtOnce) {
    await breathe(signal);
    const rows = all.subarray(begin, begin + usersAtOnce);
    const { data, dim } = await model.scores({
      users: users?.subarray(begin, begin + usersAtOnce),
      histories: rowsOf(given, rows),
    });
    rows.forEach((r, at) => {
      for (const item of whole.row(r).columns) skip[item] = r;
      lists.push(topItems(data.subarray(at * dim, (at + 1) * dim), k, skip, r, undefined));
    });
  }
  return lists;
}
