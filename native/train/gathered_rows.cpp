#include "train/gathered_rows.h"

#include "simd/kernels.h"

namespace nigh {

void add_gathered(const float* weights, const float* rows, const uint32_t* slots, size_t count, size_t dim, float* out) {
  constexpr size_t kAhead = 6;
  const Kernels& k = kernels();
  for (size_t j = 0; j < count; ++j) {
    if (j + kAhead < count) prefetch_row(rows + slots[j + kAhead] * dim, dim);
    k.axpy(weights[j], rows + slots[j] * dim, out, dim);
  }
}

}  // namespace nigh
