// CRC-32C (Castagnoli), the checksum of headers and sections.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nigh {

/// The checksum of `bytes` bytes, continuing from `crc` (0 to start).
uint32_t crc32c(const void* data, size_t bytes, uint32_t crc = 0);

}  // namespace nigh
