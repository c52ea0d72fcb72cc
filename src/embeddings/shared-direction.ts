/** The direction that the rows of a matrix share: their first right singular vector, and the rows without it. */
import { breathe } from '../core/abort.js';
import type { Matrix } from '../core/matrix.js';

/** The sum of many word vectors is close to the first component already: some ten steps do. */
const mostSteps = 30;
/** Of a unit vector, whose float32 values are no finer. */
const settled = 1e-8;

/**
 * Power iteration on XᵀX from the sum of the rows, in double, until a step changes nothing that float32 could tell; unit length. Empty where
 * the rows sum to zero.
 */
export async function firstComponent(
  { data, rows, dim }: Matrix,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  let direction = new Float64Array(dim);
  for (let r = 0, at = 0; r < rows; r++) for (let d = 0; d < dim; d++, at++) direction[d]! += data[at]!;
  if (!scaleToUnit(direction)) return Float32Array.of();
  for (let step = 0; step < mostSteps; step++) {
    await breathe(signal);
    const next = new Float64Array(dim);
    for (let r = 0; r < rows; r++) {
      const at = r * dim;
      let product = 0;
      for (let d = 0; d < dim; d++) product += data[at + d]! * direction[d]!;
      for (let d = 0; d < dim; d++) next[d]! += product * data[at + d]!;
    }
    if (!scaleToUnit(next)) return Float32Array.of();
    const change = next.reduce((most, value, d) => Math.max(most, Math.abs(value - direction[d]!)), 0);
    direction = next;
    if (change < settled) break;
  }
  return Float32Array.from(direction);
}

/** Takes the direction out of every row, in place. */
export function removeComponent({ data, rows, dim }: Matrix, component: Float32Array): void {
  for (let r = 0; r < rows; r++) {
    const at = r * dim;
    let product = 0;
    for (let d = 0; d < dim; d++) product += data[at + d]! * component[d]!;
    for (let d = 0; d < dim; d++) data[at + d]! -= product * component[d]!;
  }
}

/** False, and the vector as it was, for one of length zero. */
function scaleToUnit(vector: Float64Array): boolean {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (!(length > 0)) return false;
  for (let d = 0; d < vector.length; d++) vector[d]! /= length;
  return true;
}
