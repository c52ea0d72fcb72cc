// Bit vectors where the processor counts bits itself (AVX512-VPOPCNTDQ). Includes nothing but intrinsics and its own parts: see
// kernels.h.
#include "simd/kernels.h"

#if (defined(__x86_64__) || defined(_M_X64)) && defined(__AVX512F__) && defined(__AVX512BW__) && \
    (defined(__AVX512VPOPCNTDQ__) || defined(_MSC_VER))

#include "simd/bits_avx512.h"

namespace nigh {
namespace {

struct CountInstruction {
  static NIGH_INLINE __m512i count(__m512i bits) { return _mm512_popcnt_epi64(bits); }
};

constexpr BitKernels kBits = bit_kernels<CountInstruction>();

}  // namespace

const BitKernels* const kVpopcntdqBits = &kBits;

}  // namespace nigh

#else

namespace nigh {
const BitKernels* const kVpopcntdqBits = nullptr;
}

#endif
