// A number for a run of bytes, equal for equal ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace nigh {

/// `size` is a multiple of 4. Not to be stored: it differs between machines of different byte order.
inline uint64_t hash_words(const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  uint64_t hash = 0x9e3779b97f4a7c15ULL;
  for (size_t at = 0; at < size; at += 4) {
    uint32_t word;
    std::memcpy(&word, bytes + at, sizeof word);
    hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace nigh
