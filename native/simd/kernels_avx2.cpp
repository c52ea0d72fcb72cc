// AVX2 with FMA, F16C and BMI2. Includes nothing but intrinsics and its own parts: see kernels.h.
//
// Sums: vector v of a row (elements 8v … 8v + 7) goes to accumulator v mod 4; a rest of fewer than 8 elements goes in the last
// lanes of one more vector. The four are added as (0 + 1) + (2 + 3), then the upper half to the lower until one lane is left.
// Every function keeps to this order, which is what makes gather and scan give the bits of dot.
#include <cstring>

#include "simd/kernels.h"

#if (defined(__x86_64__) || defined(_M_X64)) && defined(__AVX2__) && (defined(__FMA__) || defined(_MSC_VER))

#include "simd/avx2.h"
#include "simd/bits_avx2.h"
#include "simd/gemm_avx2.h"

namespace nigh {
namespace {

NIGH_INLINE __m256 load(const float* values) { return _mm256_loadu_ps(values); }
NIGH_INLINE __m256 load(const uint16_t* values) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
}

// The last `rest` < 8 elements of `dim`, in the last lanes (of fewer than 8 elements: in the first); the others are zero. Read
// from the end backwards, over elements that were summed already: a masked load from the rest's own start may reach into the
// next cache line, which nobody asked for.
NIGH_INLINE __m256 load_rest(const float* values, size_t dim, size_t rest) {
  if (dim < kLanes) return _mm256_maskload_ps(values, first(rest));
  return _mm256_and_ps(_mm256_loadu_ps(values + dim - kLanes), _mm256_castsi256_ps(last(rest)));
}

// The same of half-precision values, widened.
NIGH_INLINE __m256 load_rest(const uint16_t* values, size_t dim, size_t rest) {
  if (dim < kLanes) {
    alignas(16) uint16_t held[kLanes];
    for (size_t i = 0; i < kLanes; ++i) held[i] = i < rest ? values[i] : 0;
    return load(held);
  }
  return _mm256_and_ps(load(values + dim - kLanes), _mm256_castsi256_ps(last(rest)));
}

NIGH_INLINE __m256 magnitude(__m256 values) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), values); }

// What a sum consists of, and how its parts are joined; of Chebyshev the "sum" is the largest.
struct Sum {
  static NIGH_INLINE __m256 join(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }
  static NIGH_INLINE __m128 join(__m128 a, __m128 b) { return _mm_add_ps(a, b); }
};
struct Dot : Sum {
  static NIGH_INLINE __m256 step(__m256 a, __m256 b, __m256 sum) { return _mm256_fmadd_ps(a, b, sum); }
};
struct L2 : Sum {
  static NIGH_INLINE __m256 step(__m256 a, __m256 b, __m256 sum) {
    const __m256 difference = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(difference, difference, sum);
  }
};
struct L1 : Sum {
  static NIGH_INLINE __m256 step(__m256 a, __m256 b, __m256 sum) { return _mm256_add_ps(sum, magnitude(_mm256_sub_ps(a, b))); }
};
struct Chebyshev {
  static NIGH_INLINE __m256 step(__m256 a, __m256 b, __m256 largest) {
    return _mm256_max_ps(largest, magnitude(_mm256_sub_ps(a, b)));
  }
  static NIGH_INLINE __m256 join(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
  static NIGH_INLINE __m128 join(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
};

// ---- one row

template <class Op>
NIGH_INLINE float fold(__m256 sum) {
  const __m128 four = Op::join(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
  const __m128 two = Op::join(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(Op::join(two, _mm_movehdup_ps(two)));
}

// Folds four rows at once by the same additions as fold().
template <class Op>
NIGH_INLINE void fold4(__m256 a, __m256 b, __m256 c, __m256 d, float* out) {
  const __m256 ab = Op::join(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
  const __m256 cd = Op::join(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
  // Lanes now: ab = a0 a1 a2 a3 | b0 b1 b2 b3, and so cd. Wanted (x0 + x2) + (x1 + x3) of each.
  const __m256 two = Op::join(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));  // a a' c c' | b b' d d'
  const __m256 one = Op::join(two, _mm256_movehdup_ps(two));                                      // a . c . | b . d .
  const __m128 ac = _mm256_castps256_ps128(one);
  const __m128 bd = _mm256_extractf128_ps(one, 1);
  _mm_storeu_ps(out, _mm_blend_ps(ac, _mm_moveldup_ps(bd), 0xa));
}

template <class Op, class T>
NIGH_INLINE __m256 row_sum(const float* a, const T* b, size_t dim) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + 4 * kLanes <= dim; i += 4 * kLanes) {
    s0 = Op::step(load(a + i), load(b + i), s0);
    s1 = Op::step(load(a + i + 8), load(b + i + 8), s1);
    s2 = Op::step(load(a + i + 16), load(b + i + 16), s2);
    s3 = Op::step(load(a + i + 24), load(b + i + 24), s3);
  }
  const auto whole = [&](__m256 sum) {
    const __m256 out = Op::step(load(a + i), load(b + i), sum);
    i += kLanes;
    return out;
  };
  const auto rest = [&](__m256 sum) {
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

float dot(const float* a, const float* b, size_t dim) { return fold<Dot>(row_sum<Dot>(a, b, dim)); }
float l2(const float* a, const float* b, size_t dim) { return fold<L2>(row_sum<L2>(a, b, dim)); }

void axpy(float alpha, const float* x, float* y, size_t dim) {
  const __m256 factor = _mm256_set1_ps(alpha);
  size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    _mm256_storeu_ps(y + i, _mm256_fmadd_ps(factor, _mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)));
  }
  // One by one: a masked store is microcoded on some processors.
  for (; i < dim; ++i) {
    _mm_store_ss(y + i, _mm_fmadd_ss(_mm256_castps256_ps128(factor), _mm_load_ss(x + i), _mm_load_ss(y + i)));
  }
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

// How the rows of a hop, which lie anywhere in memory, come near in time: every line of all of them is asked for before the first
// is used, so that their misses overlap, and of a longer list as much as the second cache level holds with ease. Into the second
// level, because many more of those requests can be under way than of requests into the first, which stall the loop: on Zen 4
// a random row of 400 bytes costs 27 ns so, 47 with requests into the first level, 50 with none.
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

template <class Op, class Rows, class Prefetch>
NIGH_INLINE void score(const float* query, const Rows& row, const Prefetch& requests, size_t count, size_t dim, float* out) {
  size_t j = 0;
  for (; j + 4 <= count; j += 4) {
    requests.advance(j);
    const __m256 a = row_sum<Op>(query, row(j), dim);
    NIGH_IN_ORDER();
    const __m256 b = row_sum<Op>(query, row(j + 1), dim);
    NIGH_IN_ORDER();
    const __m256 c = row_sum<Op>(query, row(j + 2), dim);
    NIGH_IN_ORDER();
    const __m256 d = row_sum<Op>(query, row(j + 3), dim);
    fold4<Op>(a, b, c, d, out + j);
  }
  for (; j < count; ++j) out[j] = fold<Op>(row_sum<Op>(query, row(j), dim));
}

template <class Op, class T>
void gather(const float* query, const T* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim, float* out) {
  const Listed<T> listed{rows, stride, slots};
  score<Op>(query, listed, Requests(listed, count, dim * sizeof(T)), count, dim, out);
}

template <class Op>
void scan(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out) {
  score<Op>(query, InOrder{rows, stride}, NoRequests{}, count, dim, out);
}

void to_f16(const float* values, size_t count, uint16_t* out) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm256_cvtps_ph(load(values + i), _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < count; ++i) {
    out[i] = static_cast<uint16_t>(_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_load_ss(values + i), _MM_FROUND_TO_NEAREST_INT)));
  }
}

void from_f16(const uint16_t* values, size_t count, float* out) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) _mm256_storeu_ps(out + i, load(values + i));
  for (; i < count; ++i) _mm_store_ss(out + i, _mm_cvtph_ps(_mm_cvtsi32_si128(values[i])));
}

size_t select_le(const float* values, float scale, const float* offsets, size_t count, float limit, uint32_t* out) {
  const __m256 factor = _mm256_set1_ps(scale);
  const __m256 highest = _mm256_set1_ps(limit);
  size_t found = 0;
  const auto compare = [&](__m256 value, __m256 offset) {
    return _mm256_cmp_ps(_mm256_fmadd_ps(factor, value, offset), highest, _CMP_NGT_UQ);
  };
  const auto test = [&](size_t j) {
    return compare(_mm256_loadu_ps(values + j), offsets == nullptr ? _mm256_setzero_ps() : _mm256_loadu_ps(offsets + j));
  };
  const auto keep = [&](__m256 selected, unsigned valid, size_t j) {
    for (unsigned bits = static_cast<unsigned>(_mm256_movemask_ps(selected)) & valid; bits != 0; bits &= bits - 1) {
      out[found++] = static_cast<uint32_t>(j) + static_cast<uint32_t>(_mm_popcnt_u32((bits & (0u - bits)) - 1));
    }
  };
  size_t j = 0;
  for (; j + 4 * kLanes <= count; j += 4 * kLanes) {  // mostly nothing is selected
    const __m256 a = test(j), b = test(j + 8), c = test(j + 16), d = test(j + 24);
    if (_mm256_movemask_ps(_mm256_or_ps(_mm256_or_ps(a, b), _mm256_or_ps(c, d))) == 0) continue;
    keep(a, 0xff, j);
    keep(b, 0xff, j + 8);
    keep(c, 0xff, j + 16);
    keep(d, 0xff, j + 24);
  }
  for (; j + kLanes <= count; j += kLanes) keep(test(j), 0xff, j);
  if (j < count) {
    const __m256i mask = first(count - j);
    const __m256 offset = offsets == nullptr ? _mm256_setzero_ps() : _mm256_maskload_ps(offsets + j, mask);
    keep(compare(_mm256_maskload_ps(values + j, mask), offset), (1u << (count - j)) - 1, j);
  }
  return found;
}

// ---- int8 codes

NIGH_INLINE int32_t fold(__m256i sum) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

// Sixteen products of unsigned codes and a signed query, added in pairs. Widened to 16 bits first: vpmaddubsw, which would
// take the bytes as they are, saturates at 255 · 127 · 2.
NIGH_INLINE __m256i multiply_codes(const uint8_t* code, __m256i query, __m256i sum) {
  const __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(code)));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(wide, query));
}

// `query` gives sixteen widened values of the query from position i.
template <class Query>
NIGH_INLINE __m256i code_sum(const Query& query, const uint8_t* code, size_t dim) {
  __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
  for (size_t i = 0; i < dim; i += 64) {
    s0 = multiply_codes(code + i, query(i), s0);
    s1 = multiply_codes(code + i + 16, query(i + 16), s1);
    s2 = multiply_codes(code + i + 32, query(i + 32), s2);
    s3 = multiply_codes(code + i + 48, query(i + 48), s3);
  }
  return _mm256_add_epi32(_mm256_add_epi32(s0, s1), _mm256_add_epi32(s2, s3));
}

struct ListedCodes {
  const uint8_t* codes;
  size_t stride;
  const uint32_t* slots;
  NIGH_INLINE const uint8_t* operator()(size_t j) const { return codes + slots[j] * stride; }
};

template <class Query>
NIGH_INLINE void score_codes(const Query& query, int32_t query_sum, const ListedCodes& row, size_t count, size_t dim,
                             int32_t* out) {
  const Requests requests(row, count, dim);
  const __m128i offset = _mm_set1_epi32(128 * query_sum);
  size_t j = 0;
  for (; j + 4 <= count; j += 4) {
    requests.advance(j);
    const __m256i a = code_sum(query, row(j), dim);
    const __m256i b = code_sum(query, row(j + 1), dim);
    const __m256i c = code_sum(query, row(j + 2), dim);
    const __m256i d = code_sum(query, row(j + 3), dim);
    const __m256i abcd = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256(abcd, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + j), _mm_sub_epi32(sums, offset));
  }
  for (; j < count; ++j) out[j] = fold(code_sum(query, row(j), dim)) - 128 * query_sum;
}

NIGH_INLINE __m256i widen(const int8_t* query) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(query)));
}

void dot_i8_gather(const int8_t* query, const uint8_t* codes, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                   int32_t* out) {
  constexpr size_t kWidened = 1024;  // longer queries are widened again for every row
  alignas(32) int16_t held[kWidened];
  __m256i sums = _mm256_setzero_si256();
  for (size_t i = 0; i < dim; i += 16) {
    const __m256i wide = widen(query + i);
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(wide, _mm256_set1_epi16(1)));
    if (dim <= kWidened) _mm256_store_si256(reinterpret_cast<__m256i*>(held + i), wide);
  }
  const int32_t query_sum = fold(sums);
  const ListedCodes row{codes, stride, slots};
  if (dim <= kWidened) {
    const auto wide = [&](size_t i) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(held + i)); };
    score_codes(wide, query_sum, row, count, dim, out);
  } else {
    score_codes([&](size_t i) { return widen(query + i); }, query_sum, row, count, dim, out);
  }
}

// Four products a row, added: |code| times the query with the code's sign. 127 · 127 · 2 does not saturate.
NIGH_INLINE __m256i multiply_four(__m256i code, __m256i magnitude, const int8_t* query, __m256i sum) {
  int32_t four;
  std::memcpy(&four, query, sizeof four);
  const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(_mm256_set1_epi32(four), code));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

void score_i8_blocks(const I8BlockQuery& query, const uint8_t* blocks, size_t stride, size_t count, float* out) {
  const __m256 factor = _mm256_set1_ps(query.factor), slack = _mm256_set1_ps(query.slack), weight = _mm256_set1_ps(query.weight);
  const auto load = [](const uint8_t* data) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data)); };
  for (const uint8_t* block = blocks; block != blocks + count * stride; block += stride) {
    __m256i high0 = _mm256_setzero_si256(), low0 = high0, high1 = high0, low1 = high0;  // rows 0 … 7 and 8 … 15
    for (size_t g = 0; g < query.groups; ++g) {
      const __m256i code0 = _mm256_xor_si256(load(block + g * 64), _mm256_set1_epi8(static_cast<char>(0x80)));
      const __m256i code1 = _mm256_xor_si256(load(block + g * 64 + 32), _mm256_set1_epi8(static_cast<char>(0x80)));
      const __m256i magnitude0 = _mm256_abs_epi8(code0), magnitude1 = _mm256_abs_epi8(code1);
      high0 = multiply_four(code0, magnitude0, query.high + g * 4, high0);
      high1 = multiply_four(code1, magnitude1, query.high + g * 4, high1);
      low0 = multiply_four(code0, magnitude0, query.low + g * 4, low0);
      low1 = multiply_four(code1, magnitude1, query.low + g * 4, low1);
    }
    const uint8_t* end = block + query.groups * 64;
    for (size_t half = 0; half < 2; ++half, end += 32, out += kLanes) {
      const __m256 high = _mm256_cvtepi32_ps(half == 0 ? high0 : high1);
      const __m256 low = _mm256_cvtepi32_ps(half == 0 ? low0 : low1);
      const __m256i terms = load(end);
      const __m256 scale = _mm256_castsi256_ps(_mm256_and_si256(terms, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
      const __m256 error = _mm256_castsi256_ps(_mm256_slli_epi32(terms, 16));
      const __m256 product = _mm256_fmadd_ps(_mm256_set1_ps(255.0f), high, low);
      __m256 value = _mm256_mul_ps(scale, _mm256_fmsub_ps(factor, product, slack));
      value = _mm256_fnmadd_ps(weight, error, value);
      if (query.companions) value = _mm256_add_ps(value, _mm256_castsi256_ps(load(end + 64)));
      _mm256_storeu_ps(out, value);
    }
  }
}

constexpr Kernels kTable = {"avx2",
                            dot,
                            l2,
                            axpy,
                            gather<Dot>,
                            gather<L2>,
                            scan<Dot>,
                            scan<L2>,
                            gemm_nt,
                            gemm_scratch,
                            select_le,
                            dot_i8_gather,
                            score_i8_blocks,
                            true,
                            gather<L1>,
                            scan<L1>,
                            gather<Chebyshev>,
                            scan<Chebyshev>,
                            gather<Dot>,
                            gather<L2>,
                            gather<L1>,
                            gather<Chebyshev>,
                            to_f16,
                            from_f16,
                            &kBits};

}  // namespace

const Kernels* const kAvx2Kernels = &kTable;

}  // namespace nigh

#else

namespace nigh {
const Kernels* const kAvx2Kernels = nullptr;
}

#endif
