// l1, chebyshev, bits and half precision: every level that this machine has against definitions in double, and its parts
// against each other.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "simd/kernels.h"

namespace {

using nigh::Kernels;
using nigh::Rng;

std::vector<const Kernels*> levels() {
  std::vector<const Kernels*> tables;
  for (const char* const* name = nigh::available_levels(); *name != nullptr; ++name) tables.push_back(nigh::kernels_for(*name));
  return tables;
}

// The bit kernels of every level, and those that the machine's avx512 level would have without VPOPCNTDQ.
std::vector<const nigh::BitKernels*> bit_levels() {
  std::vector<const nigh::BitKernels*> all;
  for (const Kernels* table : levels()) all.push_back(table->bits);
  if (nigh::kernels_for("avx512") != nullptr) all.push_back(nigh::kAvx512Kernels->bits);
  return all;
}

std::vector<size_t> dims() {
  std::vector<size_t> all;
  for (size_t dim = 1; dim <= 130; ++dim) all.push_back(dim);
  for (const size_t dim : {191, 256, 384, 385, 768, 785, 1023}) all.push_back(dim);
  return all;
}

// Values ending right at the end of an allocation, so that the address sanitizer sees a read of one too many.
template <class T>
class Exact {
 public:
  explicit Exact(size_t size) : values_(new T[size]), size_(size) {}
  Exact(const Exact&) = delete;
  ~Exact() { delete[] values_; }
  T* data() { return values_; }
  T& operator[](size_t i) { return values_[i]; }
  size_t size() const { return size_; }

 private:
  T* values_;
  size_t size_;
};

struct Sums {
  double dot = 0, absolute = 0, l2 = 0, l1 = 0, chebyshev = 0;
};
template <class Value>
Sums in_double(const float* a, size_t dim, const Value& value) {
  Sums sums;
  for (size_t i = 0; i < dim; ++i) {
    const double x = a[i], y = value(i), difference = std::fabs(x - y);
    sums.dot += x * y;
    sums.absolute += std::fabs(x * y);
    sums.l2 += difference * difference;
    sums.l1 += difference;
    sums.chebyshev = std::max(sums.chebyshev, difference);
  }
  return sums;
}

}  // namespace

TEST("l1 and chebyshev of every level are the definitions up to rounding, gathered and scanned, for every dimension") {
  Rng rng(21);
  for (const Kernels* table : levels()) {
    for (const size_t dim : dims()) {
      const size_t rows = 1 + rng.below(9), stride = dim + dim % 3;
      Exact<float> data((rows - 1) * stride + dim), query(dim);
      for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(rng.normal());
      for (size_t i = 0; i < dim; ++i) query[i] = static_cast<float>(rng.normal());
      std::vector<uint32_t> slots(rng.below(20));
      for (uint32_t& slot : slots) slot = rng.below(static_cast<uint32_t>(rows));
      const double gamma = static_cast<double>(dim + 3) * 0x1p-24;
      std::vector<float> scanned(rows + 1, 7.0f), gathered(slots.size() + 1, 7.0f);
      table->l1_scan(query.data(), data.data(), stride, rows, dim, scanned.data());
      for (size_t r = 0; r < rows; ++r) {
        const Sums expected = in_double(query.data(), dim, [&](size_t i) { return data[r * stride + i]; });
        CHECK_NEAR(scanned[r], expected.l1, gamma * expected.l1);
      }
      table->l1_gather(query.data(), data.data(), stride, slots.data(), slots.size(), dim, gathered.data());
      for (size_t j = 0; j < slots.size(); ++j) CHECK(gathered[j] == scanned[slots[j]]);
      table->chebyshev_scan(query.data(), data.data(), stride, rows, dim, scanned.data());
      for (size_t r = 0; r < rows; ++r) {
        const Sums expected = in_double(query.data(), dim, [&](size_t i) { return data[r * stride + i]; });
        CHECK_NEAR(scanned[r], expected.chebyshev, 0x1p-23 * expected.chebyshev);
      }
      table->chebyshev_gather(query.data(), data.data(), stride, slots.data(), slots.size(), dim, gathered.data());
      for (size_t j = 0; j < slots.size(); ++j) CHECK(gathered[j] == scanned[slots[j]]);
      CHECK(scanned.back() == 7.0f && gathered.back() == 7.0f);
    }
  }
}

TEST("every half converts to the float that it is and back on every level, and floats round to the nearest half") {
  const Kernels* scalar = nigh::kernels_for("scalar");
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  std::vector<float> expected(all.size());
  scalar->from_f16(all.data(), all.size(), expected.data());
  for (size_t i = 0; i < all.size(); ++i) {
    const int exponent = static_cast<int>(i >> 10 & 31);
    const int fraction = static_cast<int>(i & 1023);
    if (exponent == 31) {
      CHECK(fraction == 0 ? std::isinf(expected[i]) : std::isnan(expected[i]));
      continue;
    }
    const double size = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    CHECK(expected[i] == static_cast<float>((i & 0x8000) != 0 ? -size : size));
  }
  Rng rng(22);
  std::vector<float> values = {0.0f,     -0.0f,    65504.0f,   65519.996f,   65520.0f, 1e30f,
                               0x1p-24f, 0x1p-25f, 0x1.8p-25f, 0x1.004p-14f, 1e-30f,   std::numeric_limits<float>::infinity()};
  while (values.size() < 20011) values.push_back(std::bit_cast<float>(static_cast<uint32_t>(rng.below(0xffffffffu))));
  for (float& value : values) value = std::isnan(value) ? 1.0f : value;
  std::vector<uint16_t> rounded(values.size());
  scalar->to_f16(values.data(), values.size(), rounded.data());
  for (size_t i = 0; i < values.size(); ++i) {
    // The halves next to it are no nearer; of two that are as near, the one that was taken is even.
    const uint16_t magnitude = rounded[i] & 0x7fff;
    if (magnitude == 0x7c00) {
      CHECK(std::fabs(values[i]) >= 65520.0f);
      continue;
    }
    const double error = std::fabs(static_cast<double>(values[i]) - static_cast<double>(expected[rounded[i]]));
    const auto further = [&](uint16_t other) {
      const double away = std::fabs(static_cast<double>(values[i]) - static_cast<double>(expected[other]));
      return away > error || (away == error && rounded[i] % 2 == 0);
    };
    CHECK((rounded[i] & 0x8000) == (std::signbit(values[i]) ? 0x8000 : 0));
    if (magnitude != 0) CHECK(further(static_cast<uint16_t>(rounded[i] - 1)));
    if (magnitude != 0x7bff) CHECK(further(static_cast<uint16_t>(rounded[i] + 1)));
  }
  for (const Kernels* table : levels()) {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{7}, size_t{15}, size_t{17}, all.size(), all.size() - 3}) {
      std::vector<float> floats(count + 1, 7.0f);
      table->from_f16(all.data(), count, floats.data());
      for (size_t i = 0; i < count; ++i) {
        CHECK(std::isnan(expected[i]) ? std::isnan(floats[i])
                                      : std::bit_cast<uint32_t>(floats[i]) == std::bit_cast<uint32_t>(expected[i]));
      }
      CHECK(floats.back() == 7.0f);
      const size_t some = std::min(count, values.size());
      std::vector<uint16_t> halves(some + 1, 7);
      table->to_f16(values.data(), some, halves.data());
      for (size_t i = 0; i < some; ++i) CHECK(halves[i] == rounded[i]);
      CHECK(halves.back() == 7);
    }
  }
}

TEST("the sums over half-precision rows of every level are the definitions up to rounding, for every dimension") {
  Rng rng(23);
  for (const Kernels* table : levels()) {
    for (const size_t dim : dims()) {
      const size_t rows = 1 + rng.below(9), stride = dim + dim % 5;
      Exact<uint16_t> data((rows - 1) * stride + dim);
      Exact<float> query(dim);
      std::vector<float> floats(data.size());
      for (float& value : floats) value = static_cast<float>(rng.normal());
      table->to_f16(floats.data(), floats.size(), data.data());
      table->from_f16(data.data(), floats.size(), floats.data());
      for (size_t i = 0; i < dim; ++i) query[i] = static_cast<float>(rng.normal());
      std::vector<uint32_t> slots(rng.below(20));
      for (uint32_t& slot : slots) slot = rng.below(static_cast<uint32_t>(rows));
      std::vector<float> dot(slots.size()), l2(slots.size()), l1(slots.size()), chebyshev(slots.size());
      table->dot_f16_gather(query.data(), data.data(), stride, slots.data(), slots.size(), dim, dot.data());
      table->l2_f16_gather(query.data(), data.data(), stride, slots.data(), slots.size(), dim, l2.data());
      table->l1_f16_gather(query.data(), data.data(), stride, slots.data(), slots.size(), dim, l1.data());
      table->chebyshev_f16_gather(query.data(), data.data(), stride, slots.data(), slots.size(), dim, chebyshev.data());
      const double gamma = static_cast<double>(dim + 3) * 0x1p-24;
      for (size_t j = 0; j < slots.size(); ++j) {
        const Sums expected = in_double(query.data(), dim, [&](size_t i) { return floats[slots[j] * stride + i]; });
        CHECK_NEAR(dot[j], expected.dot, gamma * expected.absolute);
        CHECK_NEAR(l2[j], expected.l2, gamma * expected.l2);
        CHECK_NEAR(l1[j], expected.l1, gamma * expected.l1);
        CHECK_NEAR(chebyshev[j], expected.chebyshev, 0x1p-23 * expected.chebyshev);
      }
    }
  }
}

TEST("hamming and jaccard of every level are the counts of a loop over the bits, empty, full and sparse sets included") {
  Rng rng(24);
  for (const nigh::BitKernels* bits : bit_levels()) {
    for (size_t words = 1; words <= 40; ++words) {
      const size_t rows = 1 + rng.below(12), stride = words + words % 3;
      Exact<uint64_t> data((rows - 1) * stride + words), query(words);
      const uint32_t kind = rng.below(4);
      const auto word = [&]() -> uint64_t {
        const uint64_t any = static_cast<uint64_t>(rng.below(0xffffffffu)) << 32 | rng.below(0xffffffffu);
        return kind == 0 ? 0 : kind == 1 ? ~uint64_t{0} : kind == 2 ? any & any >> 7 & any >> 13 : any;
      };
      for (size_t i = 0; i < data.size(); ++i) data[i] = word();
      for (size_t i = 0; i < words; ++i) query[i] = words % 5 == 0 ? 0 : word();
      std::vector<uint32_t> slots(rng.below(20));
      for (uint32_t& slot : slots) slot = rng.below(static_cast<uint32_t>(rows));
      std::vector<float> scanned(rows + 1, 7.0f), gathered(slots.size() + 1, 7.0f), quotients(rows + 1, 7.0f);
      bits->hamming_scan(query.data(), data.data(), stride, rows, words, scanned.data());
      bits->jaccard_scan(query.data(), data.data(), stride, rows, words, quotients.data());
      for (size_t r = 0; r < rows; ++r) {
        int differing = 0, either = 0;
        for (size_t bit = 0; bit < words * 64; ++bit) {
          const bool a = (query[bit / 64] >> bit % 64 & 1) != 0, b = (data[r * stride + bit / 64] >> bit % 64 & 1) != 0;
          differing += a != b;
          either += a || b;
        }
        CHECK(scanned[r] == static_cast<float>(differing));
        CHECK(quotients[r] == (either == 0 ? 0.0f : static_cast<float>(differing) / static_cast<float>(either)));
      }
      bits->hamming_gather(query.data(), data.data(), stride, slots.data(), slots.size(), words, gathered.data());
      for (size_t j = 0; j < slots.size(); ++j) CHECK(gathered[j] == scanned[slots[j]]);
      bits->jaccard_gather(query.data(), data.data(), stride, slots.data(), slots.size(), words, gathered.data());
      for (size_t j = 0; j < slots.size(); ++j) CHECK(gathered[j] == quotients[slots[j]]);
      CHECK(scanned.back() == 7.0f && gathered.back() == 7.0f && quotients.back() == 7.0f);
    }
  }
}
