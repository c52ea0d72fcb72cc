// Which level runs: asked of the processor once, or named by NIGH_SIMD.
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "simd/kernels.h"

#if defined(__x86_64__) || defined(_M_X64)
#define NIGH_X64 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace nigh {
namespace {

struct CpuFeatures {
  bool avx2 = false;    // AVX2, FMA, F16C and BMI2, and the system saves the ymm registers
  bool avx512 = false;  // the same and AVX-512 F, BW, DQ, VL and VNNI, and the system saves the zmm and mask registers
  bool vpopcntdq = false;
};

#if NIGH_X64

struct CpuidLeaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf cpuid(uint32_t leaf, uint32_t subleaf) {
  CpuidLeaf out;
#if defined(_MSC_VER)
  int words[4];
  __cpuid(words, 0);
  if (static_cast<uint32_t>(words[0]) < leaf) return out;
  __cpuidex(words, static_cast<int>(leaf), static_cast<int>(subleaf));
  out = {static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1]), static_cast<uint32_t>(words[2]),
         static_cast<uint32_t>(words[3])};
#else
  __get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx);
#endif
  return out;
}

// Register sets that the operating system saves. Only callable where cpuid says OSXSAVE.
uint64_t saved_state() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

CpuFeatures detect() {
  const auto has = [](uint32_t word, int bit) { return ((word >> bit) & 1) != 0; };
  CpuFeatures features;
  const CpuidLeaf one = cpuid(1, 0);
  if (!has(one.ecx, 27)) return features;  // OSXSAVE
  const uint64_t saved = saved_state();
  const CpuidLeaf seven = cpuid(7, 0);
  const bool ymm = (saved & 0x06) == 0x06;
  const bool zmm = (saved & 0xe6) == 0xe6;
  features.avx2 = ymm && has(one.ecx, 28) && has(one.ecx, 12) && has(one.ecx, 29) && has(seven.ebx, 5) && has(seven.ebx, 8);
  features.avx512 = features.avx2 && zmm && has(seven.ebx, 16) && has(seven.ebx, 17) && has(seven.ebx, 30) &&
                    has(seven.ebx, 31) && has(seven.ecx, 11);
  features.vpopcntdq = features.avx512 && has(seven.ecx, 14);
  return features;
}

#else

CpuFeatures detect() { return {}; }

#endif

struct Levels {
  const Kernels* tables[4] = {};
  const char* names[5] = {};  // ends with nullptr
  size_t count = 0;
  Kernels avx512;  // with the bit kernels that this processor runs fastest

  Levels() {
    const CpuFeatures features = detect();
    add(kScalarKernels);
    if (features.avx2) add(kAvx2Kernels);
    if (features.avx512 && kAvx512Kernels != nullptr) {
      avx512 = *kAvx512Kernels;
      if (features.vpopcntdq && kVpopcntdqBits != nullptr) avx512.bits = kVpopcntdqBits;
      add(&avx512);
    }
    add(kNeonKernels);
  }

  void add(const Kernels* table) {
    if (table == nullptr) return;
    tables[count] = table;
    names[count++] = table->name;
  }
};

const Levels& levels() {
  static const Levels all;
  return all;
}

const Kernels& choose() {
  const char* wanted = std::getenv("NIGH_SIMD");
  if (wanted == nullptr || *wanted == '\0') return *levels().tables[levels().count - 1];
  if (const Kernels* table = kernels_for(wanted)) return *table;
  std::string names;
  for (size_t i = 0; i < levels().count; ++i) names += std::string(i == 0 ? "" : ", ") + levels().names[i];
  throw Error("SIMD_UNSUPPORTED", "NIGH_SIMD: expected one of " + names + ", got \"" + wanted + "\".");
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

const Kernels* kernels_for(const char* name) {
  for (size_t i = 0; i < levels().count; ++i) {
    if (std::strcmp(levels().names[i], name) == 0) return levels().tables[i];
  }
  return nullptr;
}

const char* const* available_levels() { return levels().names; }

}  // namespace nigh
