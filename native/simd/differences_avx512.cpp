// Sums and largest of absolute differences of float32 rows, for the avx512 level.
#include "simd/parts_avx512.h"

#ifdef NIGH_AVX512

#include "simd/rows_avx512.h"

namespace nigh::avx512 {

void l1_gather(const float* query, const float* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
               float* out) {
  gather<L1>(query, rows, stride, slots, count, dim, out);
}

void l1_scan(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out) {
  scan<L1>(query, rows, stride, count, dim, out);
}

void chebyshev_gather(const float* query, const float* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                      float* out) {
  gather<Chebyshev>(query, rows, stride, slots, count, dim, out);
}

void chebyshev_scan(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out) {
  scan<Chebyshev>(query, rows, stride, count, dim, out);
}

}  // namespace nigh::avx512

#endif
