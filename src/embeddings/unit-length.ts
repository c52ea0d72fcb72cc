/** The vector at unit length, in place; undefined for one of zeros and for one that is not finite: it has no direction. */
export function atUnitLength(vector: Float32Array): Float32Array | undefined {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  if (!(length > 0 && length < Number.POSITIVE_INFINITY)) return undefined;
  for (let d = 0; d < vector.length; d++) vector[d] = vector[d]! / length;
  return vector;
}
