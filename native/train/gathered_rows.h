// Sums over rows of a dense matrix that a sparse row points to: the inner loops of every sparse × dense product.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nigh {

/// Asks for a row of `dim` floats ahead of its use.
inline void prefetch_row(const float* row, size_t dim) {
  const char* begin = reinterpret_cast<const char*>(row);
  for (size_t byte = 0; byte < dim * sizeof(float); byte += 64) __builtin_prefetch(begin + byte);
}

/// out += Σ_j weights[j] · row slots[j] of `rows` (packed, `dim` floats each), in the order of j.
void add_gathered(const float* weights, const float* rows, const uint32_t* slots, size_t count, size_t dim, float* out);

}  // namespace nigh
