// Measuring at build what recall a search reaches at which effort.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/matrix_view.h"

namespace nigh {

/// From this many rows on a build measures; with fewer, `recall` is served by a scan, which takes no longer.
inline constexpr size_t kCalibratedRows = 4000;

/// Rows to hold out, ascending: a twentieth, at most 1,000, spread over all by chance. None where `rows` are too few.
std::vector<uint32_t> held_out_rows(size_t rows, uint64_t seed);

}  // namespace nigh
