/**
 * Numbers as unit vectors whose inner product falls with their difference: e^(−|x − y| / scale).
 *
 * That is the covariance of an Ornstein–Uhlenbeck process (Rasmussen and Williams, "Gaussian processes for machine learning", 2006,
 * appendix B.2), so exact vectors of finitely many values can be written down, without anything random: with knots t_1 < t_2 < …,
 *
 *   φ(t_1) = e_1      φ(t_k) = ρ_k φ(t_{k−1}) + √(1 − ρ_k²) e_k      ρ_k = e^(−(t_k − t_{k−1}) / scale)
 *
 * The knots are the distinct values where there are few enough of them; then the likeness is exact. Otherwise they are as far from
 * each other all along, and a value between two of them gets what the process expects there of its two neighbours, at unit length:
 *
 *   φ(x) ~ sinh((b − x) / scale) φ(a) + sinh((x − a) / scale) φ(b)
 *
 * which raises a likeness by the factor 1 / √(1 − h / (2 · scale)) at most, h being the distance of the knots. A value outside of the
 * knots is placed at the nearest.
 */

/** @param values at least one */
export function chooseKnots(values: readonly number[], most: number): Float64Array {
  const distinct = Float64Array.from(new Set(values)).sort();
  if (distinct.length <= most) return distinct;
  const [first, last] = [distinct[0]!, distinct.at(-1)!];
  return Float64Array.from({ length: most }, (_, k) =>
    k === most - 1 ? last : first + (k / (most - 1)) * (last - first),
  );
}

/** A number → its unit vector, of one value a knot. @param knots ascending, at least one */
export function decayEncoder(knots: Float64Array, scale: number): (value: number) => Float32Array {
  const size = knots.length;
  /** √(1 − ρ_k²), and 1 for the first. */
  const fresh = Float64Array.from(knots, (knot, k) =>
    k === 0 ? 1 : Math.sqrt(-Math.expm1((-2 * (knot - knots[k - 1]!)) / scale)),
  );
  const addKnot = (k: number, factor: number, out: Float32Array) => {
    for (let j = 0; j <= k; j++) out[j] = out[j]! + factor * Math.exp((knots[j]! - knots[k]!) / scale) * fresh[j]!;
  };
  return (value) => {
    const out = new Float32Array(size);
    const after = knots.findIndex((knot) => knot >= value);
    if (after === 0 || knots[after] === value) addKnot(after, 1, out);
    else if (after < 0) addKnot(size - 1, 1, out);
    else {
      const [a, b] = [knots[after - 1]!, knots[after]!];
      addKnot(after - 1, sinhRatio((b - value) / scale, (b - a) / scale), out);
      addKnot(after, sinhRatio((value - a) / scale, (b - a) / scale), out);
      const length = Math.sqrt(out.reduce((sum, entry) => sum + entry * entry, 0));
      // Between knots that are many scales apart nothing is left of either: the nearer one stands for both.
      if (length < 1e-3) {
        out.fill(0);
        addKnot(value - a < b - value ? after - 1 : after, 1, out);
      } else {
        for (let d = 0; d < size; d++) out[d] = out[d]! / length;
      }
    }
    return out;
  };
}

/** sinh(part) / sinh(whole) for 0 ≤ part ≤ whole, without overflow. */
function sinhRatio(part: number, whole: number): number {
  return Math.exp(part - whole) * (Math.expm1(-2 * part) / Math.expm1(-2 * whole));
}
