#include "format/crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace nigh {

namespace {

#if defined(__SSE4_2__)
uint32_t step8(uint32_t crc, uint64_t word) { return static_cast<uint32_t>(_mm_crc32_u64(crc, word)); }
uint32_t step1(uint32_t crc, uint8_t byte) { return _mm_crc32_u8(crc, byte); }
#elif defined(__ARM_FEATURE_CRC32)
uint32_t step8(uint32_t crc, uint64_t word) { return __crc32cd(crc, word); }
uint32_t step1(uint32_t crc, uint8_t byte) { return __crc32cb(crc, byte); }
#else
constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82f63b78u : 0u);
    table[i] = value;
  }
  return table;
}();
uint32_t step1(uint32_t crc, uint8_t byte) { return (crc >> 8) ^ kTable[(crc ^ byte) & 0xff]; }
uint32_t step8(uint32_t crc, uint64_t word) {
  for (int i = 0; i < 8; ++i) crc = step1(crc, static_cast<uint8_t>(word >> (8 * i)));
  return crc;
}
#endif

}  // namespace

uint32_t crc32c(const void* data, size_t bytes, uint32_t crc) {
  const auto* p = static_cast<const uint8_t*>(data);
  crc = ~crc;
  for (; bytes >= 8; p += 8, bytes -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    crc = step8(crc, word);
  }
  for (; bytes != 0; ++p, --bytes) crc = step1(crc, *p);
  return ~crc;
}

}  // namespace nigh
