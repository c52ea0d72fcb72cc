// The core is compiled for x86-64-v2; the binding, this file with it, for any x86-64. So this can be asked where the core could
// not run.
#include "napi/processor.h"

#if defined(__x86_64__) && !defined(_MSC_VER)
#include <cpuid.h>
#endif

namespace nigh::binding {

bool processor_suffices() noexcept {
#if defined(__x86_64__) && !defined(_MSC_VER)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return false;
  const unsigned wanted = bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT | bit_CMPXCHG16B;
  return (ecx & wanted) == wanted;
#else
  return true;
#endif
}

}  // namespace nigh::binding
