#include "index/vector_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"

namespace nigh {

namespace {

// By its bits, so that no compiler flag can argue it away: an exponent of all ones is an infinity or NaN.
bool is_finite(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return (bits & 0x7f800000u) != 0x7f800000u;
}

bool all_finite(const float* values, size_t count) {
  bool finite = true;
  for (size_t i = 0; i < count; ++i) finite &= is_finite(values[i]);
  return finite;
}

}  // namespace

void require_storable_dim(size_t dim) {
  if (dim >= 1 && dim <= kMaxDim) return;
  throw Error("INVALID_ARGUMENT", "dim: expected 1 to " + std::to_string(kMaxDim) + ", got " + std::to_string(dim) + ".");
}

void require_finite(MatrixView<const float> rows, const char* what) {
  for (size_t r = 0; r < rows.rows; ++r) {
    const float* row = rows.row(r);
    if (all_finite(row, rows.dim)) continue;
    size_t column = 0;
    while (is_finite(row[column])) ++column;
    throw Error("NOT_FINITE", std::string(what) + ": expected finite numbers, got " +
                                  (std::isnan(row[column]) ? "NaN" : "an infinity") + " at row " + std::to_string(r) +
                                  ", dimension " + std::to_string(column) + ".");
  }
}

void require_vectors(Metric metric, VectorsView rows, const char* what) {
  if (rows.bits() != on_bits(metric)) {
    throw Error("INVALID_ARGUMENT",
                std::string(what) + ": expected " + (on_bits(metric) ? "bits" : "float32 values") + " under this metric.");
  }
  if (!rows.bits()) return require_finite(rows.floats(), what);
  if (rows.dim % 8 == 0) return;
  const auto beyond = static_cast<uint8_t>(0xff << rows.dim % 8);
  for (size_t r = 0; r < rows.rows; ++r) {
    if ((static_cast<const uint8_t*>(rows.row(r))[rows.row_bytes() - 1] & beyond) == 0) continue;
    throw Error("INVALID_ARGUMENT", std::string(what) + ": expected the bits of a row's last byte after bit " +
                                        std::to_string(rows.dim - 1) + " to be 0, got others at row " + std::to_string(r) + ".");
  }
}

void require_distinct_ids(const uint32_t* ids, size_t count) {
  if (ids == nullptr || count == 0) return;
  const auto refuse_reserved = [&](uint32_t largest) {
    if (largest == kNoId)
      throw Error("INVALID_ARGUMENT", "ids: expected at most 4294967294, got 4294967295 (it marks an empty place).");
  };
  const auto refuse_twice = [](uint32_t id) {
    throw Error("DUPLICATE_ID", "ids: expected distinct ids, got " + std::to_string(id) + " more than once.");
  };
  const uint32_t largest = *std::max_element(ids, ids + count);
  refuse_reserved(largest);
  if (largest / 64 <= count) {  // a bitmap is then no larger than the ids themselves
    std::vector<uint64_t> seen(largest / 64 + 1);
    for (size_t i = 0; i < count; ++i) {
      uint64_t& word = seen[ids[i] / 64];
      const uint64_t bit = uint64_t{1} << (ids[i] % 64);
      if ((word & bit) != 0) refuse_twice(ids[i]);
      word |= bit;
    }
    return;
  }
  std::vector<uint32_t> sorted(ids, ids + count);
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) refuse_twice(*twice);
}

void far_instead_of_nan(size_t count, float* distances) {
  for (size_t j = 0; j < count; ++j) {
    if (std::isnan(distances[j])) distances[j] = std::numeric_limits<float>::infinity();
  }
}

void normalize_row(const float* row, size_t dim, float* out, size_t position) {
  double squares = 0;
  for (size_t i = 0; i < dim; ++i) squares += static_cast<double>(row[i]) * static_cast<double>(row[i]);
  if (!(squares > 0)) {
    throw Error("ZERO_VECTOR", "row " + std::to_string(position) +
                                   ": expected a vector with a direction, got one of length 0, which " +
                                   "the cosine metric cannot use.");
  }
  const double scale = 1.0 / std::sqrt(squares);
  for (size_t i = 0; i < dim; ++i) out[i] = static_cast<float>(static_cast<double>(row[i]) * scale);
}

void keep_within(float within, std::vector<Neighbor>& found) {
  while (!found.empty() && found.back().distance > within) found.pop_back();
}

void keep_within(float within, size_t rows, size_t k, uint32_t* ids, float* distances, uint32_t* counts) {
  if (within == std::numeric_limits<float>::infinity()) return;
  for (size_t row = 0; row < rows; ++row) {
    while (counts[row] != 0 && distances[row * k + counts[row] - 1] > within) {
      --counts[row];
      ids[row * k + counts[row]] = kNoId;
      distances[row * k + counts[row]] = std::numeric_limits<float>::infinity();
    }
  }
}

}  // namespace nigh
