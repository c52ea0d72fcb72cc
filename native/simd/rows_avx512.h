// Rows against one query, for whatever a sum over their elements consists of. Included by the files of the avx512 level only.
//
// Sums: vector v of a row (elements 16v … 16v + 15) goes to accumulator v mod 4; a rest of fewer than 16 elements goes in the
// last lanes of one more vector. The four are added as (0 + 1) + (2 + 3), then the upper half to the lower until one lane is
// left. Every function keeps to this order, which is what makes gather and scan give the bits of dot.
#pragma once

#include "simd/avx512.h"

namespace nigh {
namespace {

NIGH_INLINE __m512 load(const float* values) { return _mm512_loadu_ps(values); }
NIGH_INLINE __m512 load(const uint16_t* values) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)));
}

// The last `rest` < 16 elements of `dim`, in the last lanes; the others are zero. Read from the end backwards, over elements
// that were summed already: a masked load from the rest's own start reaches into the next cache line, which nobody asked for
// (23 instead of 28 ns a random row at dim 100).
NIGH_INLINE __m512 load_rest(const float* values, size_t dim, size_t rest) {
  if (dim < kLanes) return _mm512_maskz_expand_ps(last(rest), _mm512_maskz_loadu_ps(first(rest), values));
  return _mm512_maskz_mov_ps(last(rest), _mm512_loadu_ps(values + dim - kLanes));
}

// The same of half-precision values, widened.
NIGH_INLINE __m512 load_rest(const uint16_t* values, size_t dim, size_t rest) {
  if (dim < kLanes) return _mm512_maskz_expand_ps(last(rest), _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(rest), values)));
  return _mm512_maskz_mov_ps(last(rest), load(values + dim - kLanes));
}

// What a sum consists of, and how its parts are joined; of Chebyshev the "sum" is the largest.
struct Sum {
  static NIGH_INLINE __m512 join(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
  static NIGH_INLINE __m256 join(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }
  static NIGH_INLINE __m128 join(__m128 a, __m128 b) { return _mm_add_ps(a, b); }
};
struct Dot : Sum {
  static NIGH_INLINE __m512 step(__m512 a, __m512 b, __m512 sum) { return _mm512_fmadd_ps(a, b, sum); }
};
struct L2 : Sum {
  static NIGH_INLINE __m512 step(__m512 a, __m512 b, __m512 sum) {
    const __m512 difference = _mm512_sub_ps(a, b);
    return _mm512_fmadd_ps(difference, difference, sum);
  }
};
struct L1 : Sum {
  static NIGH_INLINE __m512 step(__m512 a, __m512 b, __m512 sum) {
    return _mm512_add_ps(sum, _mm512_abs_ps(_mm512_sub_ps(a, b)));
  }
};
struct Chebyshev {
  static NIGH_INLINE __m512 step(__m512 a, __m512 b, __m512 largest) {
    return _mm512_max_ps(largest, _mm512_abs_ps(_mm512_sub_ps(a, b)));
  }
  static NIGH_INLINE __m512 join(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
  static NIGH_INLINE __m256 join(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
  static NIGH_INLINE __m128 join(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
};

// ---- one row

template <class Op>
NIGH_INLINE float fold(__m512 sum) {
  const __m256 eight = Op::join(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1));
  const __m128 four = Op::join(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = Op::join(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(Op::join(two, _mm_movehdup_ps(two)));
}

// Folds four rows at once: the same additions as fold(), 3.5 instructions a row.
template <class Op>
NIGH_INLINE void fold4(__m512 a, __m512 b, __m512 c, __m512 d, float* out) {
  const __m512 ab = Op::join(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  const __m512 cd = Op::join(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xee));
  const __m512 four = Op::join(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
  const __m512 two = Op::join(four, _mm512_permute_ps(four, 0x4e));
  const __m512 one = Op::join(two, _mm512_movehdup_ps(two));
  const __m512i lanes = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  _mm_storeu_ps(out, _mm512_castps512_ps128(_mm512_permutexvar_ps(lanes, one)));
}

template <class Op, class T>
NIGH_INLINE __m512 row_sum(const float* a, const T* b, size_t dim) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + 4 * kLanes <= dim; i += 4 * kLanes) {
    s0 = Op::step(load(a + i), load(b + i), s0);
    s1 = Op::step(load(a + i + 16), load(b + i + 16), s1);
    s2 = Op::step(load(a + i + 32), load(b + i + 32), s2);
    s3 = Op::step(load(a + i + 48), load(b + i + 48), s3);
  }
  const auto whole = [&](__m512 sum) {
    const __m512 out = Op::step(load(a + i), load(b + i), sum);
    i += kLanes;
    return out;
  };
  const auto rest = [&](__m512 sum) {
    if (i == dim) return sum;
    return Op::step(load_rest(a, dim, dim - i), load_rest(b, dim, dim - i), sum);
  };
  switch ((dim - i) / kLanes) {
    case 0:
      s0 = rest(s0);
      break;
    case 1:
      s0 = whole(s0), s1 = rest(s1);
      break;
    case 2:
      s0 = whole(s0), s1 = whole(s1), s2 = rest(s2);
      break;
    default:
      s0 = whole(s0), s1 = whole(s1), s2 = whole(s2), s3 = rest(s3);
  }
  return Op::join(Op::join(s0, s1), Op::join(s2, s3));
}

// ---- many rows against one query

template <class T>
struct Listed {
  const T* rows;
  size_t stride;
  const uint32_t* slots;
  NIGH_INLINE const T* operator()(size_t j) const { return rows + slots[j] * stride; }
};
struct InOrder {
  const float* rows;
  size_t stride;
  NIGH_INLINE const float* operator()(size_t j) const { return rows + j * stride; }
};

// The sum of one row against a query held in registers: `kWhole` of 16 elements, and one with the rest if there is one.
template <class Operation, size_t kWhole, bool kRest>
struct HeldQuery {
  using Op = Operation;
  __m512 query[kWhole + 1];
  size_t dim;

  NIGH_INLINE HeldQuery(const float* values, size_t dimension) : dim(dimension) {
    NIGH_UNROLL for (size_t v = 0; v < kWhole; ++v) query[v] = _mm512_loadu_ps(values + v * kLanes);
    if (kRest) query[kWhole] = load_rest(values, dim, dim - kWhole * kLanes);
  }

  template <class T>
  NIGH_INLINE __m512 operator()(const T* row) const {
    __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    NIGH_UNROLL for (size_t v = 0; v < kWhole; ++v) {
      sum[v % 4] = Op::step(query[v], load(row + v * kLanes), sum[v % 4]);
      NIGH_IN_ORDER();
    }
    if (kRest) sum[kWhole % 4] = Op::step(query[kWhole], load_rest(row, dim, dim - kWhole * kLanes), sum[kWhole % 4]);
    return Op::join(Op::join(sum[0], sum[1]), Op::join(sum[2], sum[3]));
  }
};

template <class Operation>
struct LoadedQuery {
  using Op = Operation;
  const float* query;
  size_t dim;
  template <class T>
  NIGH_INLINE __m512 operator()(const T* row) const {
    return row_sum<Op>(query, row, dim);
  }
};

// How the rows of a hop, which lie anywhere in memory, come near in time: every line of all of them is asked for before the first
// is used, so that their misses overlap, and of a longer list as much as the second cache level holds with ease. Into the second
// level, because many more of those requests can be under way than of requests into the first, which stall the loop: on Zen 4
// a random row of 400 bytes costs 23 ns so, 42 with requests into the first level, 50 with none.
constexpr size_t kAheadBytes = 128 * 1024;

template <class Row>
struct Requests {
  const Row& row;
  size_t count;
  size_t row_bytes;
  size_t ahead;

  NIGH_INLINE Requests(const Row& rows, size_t row_count, size_t bytes)
      : row(rows), count(row_count), row_bytes(bytes), ahead(kAheadBytes / bytes + 4) {
    for (size_t j = 0; j < ahead && j < count; ++j) prefetch(row(j), row_bytes);
  }

  // Before rows j … j + 3 are scored.
  NIGH_INLINE void advance(size_t j) const {
    for (size_t next = j + ahead; next < j + ahead + 4 && next < count; ++next) prefetch(row(next), row_bytes);
  }
};

// Rows in order are left to the hardware's prefetcher.
struct NoRequests {
  NIGH_INLINE void advance(size_t) const {}
};

template <class RowSum, class Rows, class Prefetch>
NIGH_INLINE void score(const RowSum& sum, const Rows& row, const Prefetch& requests, size_t count, float* out) {
  size_t j = 0;
  for (; j + 4 <= count; j += 4) {
    requests.advance(j);
    const __m512 a = sum(row(j));
    NIGH_IN_ORDER();
    const __m512 b = sum(row(j + 1));
    NIGH_IN_ORDER();
    const __m512 c = sum(row(j + 2));
    NIGH_IN_ORDER();
    const __m512 d = sum(row(j + 3));
    fold4<typename RowSum::Op>(a, b, c, d, out + j);
  }
  for (; j < count; ++j) out[j] = fold<typename RowSum::Op>(sum(row(j)));
}

template <class Op, class Rows, class Prefetch>
NIGH_INLINE void score_all(const float* query, const Rows& rows, const Prefetch& requests, size_t count, size_t dim, float* out) {
  switch (dim % kLanes == 0 ? dim / kLanes : 16 + dim / kLanes) {
    case 1:
      return score(HeldQuery<Op, 1, false>(query, dim), rows, requests, count, out);
    case 2:
      return score(HeldQuery<Op, 2, false>(query, dim), rows, requests, count, out);
    case 3:
      return score(HeldQuery<Op, 3, false>(query, dim), rows, requests, count, out);
    case 4:
      return score(HeldQuery<Op, 4, false>(query, dim), rows, requests, count, out);
    case 5:
      return score(HeldQuery<Op, 5, false>(query, dim), rows, requests, count, out);
    case 6:
      return score(HeldQuery<Op, 6, false>(query, dim), rows, requests, count, out);
    case 7:
      return score(HeldQuery<Op, 7, false>(query, dim), rows, requests, count, out);
    case 8:
      return score(HeldQuery<Op, 8, false>(query, dim), rows, requests, count, out);
    case 17:
      return score(HeldQuery<Op, 1, true>(query, dim), rows, requests, count, out);
    case 18:
      return score(HeldQuery<Op, 2, true>(query, dim), rows, requests, count, out);
    case 19:
      return score(HeldQuery<Op, 3, true>(query, dim), rows, requests, count, out);
    case 20:
      return score(HeldQuery<Op, 4, true>(query, dim), rows, requests, count, out);
    case 21:
      return score(HeldQuery<Op, 5, true>(query, dim), rows, requests, count, out);
    case 22:
      return score(HeldQuery<Op, 6, true>(query, dim), rows, requests, count, out);
    case 23:
      return score(HeldQuery<Op, 7, true>(query, dim), rows, requests, count, out);
    default:
      return score(LoadedQuery<Op>{query, dim}, rows, requests, count, out);
  }
}

template <class Op, class T>
void gather(const float* query, const T* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim, float* out) {
  const Listed<T> listed{rows, stride, slots};
  score_all<Op>(query, listed, Requests(listed, count, dim * sizeof(T)), count, dim, out);
}

template <class Op>
void scan(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out) {
  score_all<Op>(query, InOrder{rows, stride}, NoRequests{}, count, dim, out);
}

}  // namespace
}  // namespace nigh
