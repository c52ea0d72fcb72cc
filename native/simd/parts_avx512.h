// What the files of the avx512 level give each other: its kernels by family, gathered into one table by kernels_avx512.cpp. They
// are files of their own because a compiler takes long over each. kernels.h says what every function does.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/kernels.h"

#if (defined(__x86_64__) || defined(_M_X64)) && defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__)
#define NIGH_AVX512 1

namespace nigh::avx512 {

// differences_avx512.cpp
void l1_gather(const float* query, const float* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim, float* out);
void l1_scan(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out);
void chebyshev_gather(const float* query, const float* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                      float* out);
void chebyshev_scan(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out);

// f16_avx512.cpp
void dot_f16_gather(const float* query, const uint16_t* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                    float* out);
void l2_f16_gather(const float* query, const uint16_t* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                   float* out);
void l1_f16_gather(const float* query, const uint16_t* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                   float* out);
void chebyshev_f16_gather(const float* query, const uint16_t* rows, size_t stride, const uint32_t* slots, size_t count,
                          size_t dim, float* out);
void to_f16(const float* values, size_t count, uint16_t* out);
void from_f16(const uint16_t* values, size_t count, float* out);

// codes_avx512.cpp
void dot_i8_gather(const int8_t* query, const uint8_t* codes, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                   int32_t* out);
void score_i8_blocks(const I8BlockQuery& query, const uint8_t* blocks, size_t stride, size_t count, float* out);

}  // namespace nigh::avx512

#endif
