/**
 * Where BPR (bpr.ts) would put a new item, its users and other items being fixed.
 *
 * The item's part of the objective, θ = [q; b] and x_u = [p_u; 1]·θ, an epoch choosing a j for every one of the D interactions among N items:
 *
 *   Σ_{u chose it} w_u · mean_k φ(x_u − x_uk)  +  1/N Σ_{(u, i) of the training} φ(x_ui − x_u)  +  λ/2 (Σ w_u + D/N) |θ|²
 *
 * with φ(z) = −ln σ(z), which is bounded from above, and touched at ±ξ, by h/2 (z − c)² + constant (Jaakkola and Jordan, "Bayesian parameter
 * estimation via variational methods", Statistics and Computing 10, 2000):
 *
 *   h = tanh(ξ/2) / (2ξ),   c = ξ / tanh(ξ/2)
 *
 * ξ is one number here, the root mean square of z over the pairs of the training, as their expectation maximisation would have it. So the
 * item is one ridge regression, whose part that all items share is summed up at the fit:
 *
 *   (Σ w_u p_u p_uᵀ + G + r I) θ = Σ w_u (mean_k x_uk + c) p_u + g
 *   G = 1/N Σ_u n_u p_u p_uᵀ,   g = 1/N Σ_(u, i) (x_ui − c) p_u,   r = λ/h (Σ w_u + D/N)
 *
 * Deviation from the descent: the audience's own choices stay among the pairs of the second sum, which weigh 1/N each.
 */
import { alsGramian } from '../binding/train.js';
import { breathe } from '../core/abort.js';
import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { type Matrix, row, zeros } from '../core/matrix.js';
import { solvePositive } from './cholesky.js';
import type { Audience } from './embedding.js';
import type { ModelReader } from './model-reader.js';

/** What all new items share. Matrices and vectors are of [p; 1] and [q; b], dim = factors + 1. */
export interface BprItemModel {
  /** G, dim × dim. */
  readonly gramian: Float32Array;
  /** g. */
  readonly pull: Float32Array;
  /** mean_k [q_k; b_k]. */
  readonly meanItem: Float32Array;
  /** c. */
  readonly margin: number;
  /** λ/h. */
  readonly ridge: number;
  /** D/N: how often an epoch sets the item below another. */
  readonly below: number;
}

/** Rows between two breaths of the event loop. */
const rowsAtOnce = 512;

/** @param users [p; 1] by user ordinal. @param items [q; b] by item ordinal. @throws NighError ABORTED */
export async function bprItemModel(
  interactions: CsrMatrix,
  users: Matrix,
  items: Matrix,
  regularization: number,
  signal: AbortSignal | undefined,
): Promise<BprItemModel> {
  const { dim } = users;
  const sums = new Float64Array(dim);
  for (let at = 0; at < items.data.length; at++) sums[at % dim]! += items.data[at]!;
  const meanItem = Float32Array.from(sums, (sum) => sum / items.rows);
  // √n_u p_u, whose Gram matrix is N · G; Σ p_u (Σ_i x_ui − n_u c) in two parts; and Σ (x_ui − mean_k x_uk)².
  const scaled = zeros(users.rows, dim);
  const [scores, counted] = [new Float64Array(dim), new Float64Array(dim)];
  let above = 0;
  for (let user = 0; user < users.rows; user++) {
    if (user % rowsAtOnce === 0) await breathe(signal);
    const p = row(users, user);
    const { columns } = interactions.row(user);
    const mean = product(p, meanItem);
    let sum = 0;
    for (const item of columns) {
      const score = product(p, items.data, item * dim);
      sum += score;
      above += (score - mean) ** 2;
    }
    const root = Math.sqrt(columns.length);
    for (let d = 0; d < dim; d++) {
      scaled.data[user * dim + d] = root * p[d]!;
      scores[d]! += sum * p[d]!;
      counted[d]! += columns.length * p[d]!;
    }
  }
  const gramian = await alsGramian(scaled, 1 / items.rows);
  const second = await alsGramian(items, 1 / items.rows);
  const below = interactions.entries / items.rows;
  // The variance of x_uk over k, summed over the interactions: the product of two Gram matrices, entry by entry.
  let spread = 0;
  gramian.forEach((value, at) => {
    spread += value * items.rows * (second[at]! - meanItem[Math.floor(at / dim)]! * meanItem[at % dim]!);
  });
  // Where all scores are alike, ξ → 0: h = ¼ and c = 2.
  const xi = Math.max(1e-3, Math.sqrt(Math.max(0, above + spread) / interactions.entries));
  const bend = Math.tanh(xi / 2);
  const margin = xi / bend;
  return {
    gramian,
    pull: Float32Array.from(scores, (score, d) => (score - margin * counted[d]!) / items.rows),
    meanItem,
    margin,
    ridge: (regularization * 2 * xi) / bend,
    below,
  };
}

/** @throws NighError FORMAT */
export function readBprItemModel(reader: ModelReader, factors: number): BprItemModel {
  const dim = factors + 1;
  return {
    gramian: reader.floats('gramian', dim * dim),
    pull: reader.floats('pull', dim),
    meanItem: reader.floats('meanItem', dim),
    margin: reader.number('margin'),
    ridge: reader.number('ridge'),
    below: reader.number('below'),
  };
}

/**
 * [q; b] of an item of this audience. Weights of 0 and below are passed over.
 * @throws NighError INVALID_ARGUMENT where nothing holds the solution: without regularisation, or for weights that are not finite
 */
export function bprItem(model: BprItemModel, { vectors, weights }: Audience): Float32Array {
  const { dim } = vectors;
  const left = new Float64Array(model.gramian);
  const right = new Float64Array(model.pull);
  let chosen = 0;
  weights.forEach((weight, r) => {
    if (!(weight > 0)) return;
    chosen += weight;
    const p = vectors.data.subarray(r * dim, (r + 1) * dim);
    const wanted = weight * (product(p, model.meanItem) + model.margin);
    for (let i = 0; i < dim; i++) {
      right[i]! += wanted * p[i]!;
      const scaled = weight * p[i]!;
      const from = i * dim;
      for (let j = 0; j <= i; j++) left[from + j] = left[from + j]! + scaled * p[j]!;
    }
  });
  const ridge = model.ridge * (chosen + model.below);
  for (let d = 0; d < dim; d++) left[d * dim + d]! += ridge;
  if (!solvePositive(left, right)) {
    throw new NighError(
      'INVALID_ARGUMENT',
      'bpr: the audience does not say where the item belongs: fit with a regularization.',
    );
  }
  return new Float32Array(right);
}

function product(a: Float32Array, b: Float32Array, from = 0): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[from + d]!;
  return sum;
}
