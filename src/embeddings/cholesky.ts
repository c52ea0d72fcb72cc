/**
 * Solves a x = b for a small symmetric positive definite a, in place: the lower triangle of `matrix` (n × n, n being the length of
 * `right`) becomes its Cholesky factor, `right` becomes x.
 * @returns whether it is positive definite; otherwise both hold nothing
 */
export function solvePositive(matrix: Float64Array, right: Float64Array): boolean {
  const n = right.length;
  for (let i = 0; i < n; i++) {
    const own = i * n;
    for (let j = 0; j < i; j++) {
      const other = j * n;
      let sum = matrix[own + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[own + k]! * matrix[other + k]!;
      matrix[own + j] = sum / matrix[other + j]!;
    }
    let square = matrix[own + i]!;
    for (let k = 0; k < i; k++) square -= matrix[own + k]! ** 2;
    if (!(square > 0 && square < Number.POSITIVE_INFINITY)) return false;
    matrix[own + i] = Math.sqrt(square);
  }
  for (let i = 0; i < n; i++) {
    let sum = right[i]!;
    for (let k = 0; k < i; k++) sum -= matrix[i * n + k]! * right[k]!;
    right[i] = sum / matrix[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = right[i]!;
    for (let k = i + 1; k < n; k++) sum -= matrix[k * n + i]! * right[k]!;
    right[i] = sum / matrix[i * n + i]!;
  }
  return true;
}
