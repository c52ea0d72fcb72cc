// Every level that this machine has against the scalar oracle, and the oracle against sums in double.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "simd/kernels.h"

namespace {

using nigh::Kernels;
using nigh::Rng;

constexpr double kUnit = 0x1p-24;

// Ends right at the end of an allocation, so that the address sanitizer sees a read of one element too many.
class Exact {
 public:
  explicit Exact(size_t size) : values_(size == 0 ? nullptr : new float[size]), size_(size) {}
  Exact(const Exact&) = delete;
  ~Exact() { delete[] values_; }
  float* data() { return values_; }
  float& operator[](size_t i) { return values_[i]; }
  void fill(Rng& rng) {
    for (size_t i = 0; i < size_; ++i) values_[i] = static_cast<float>(rng.normal());
  }

 private:
  float* values_;
  size_t size_;
};

std::vector<const Kernels*> levels() {
  std::vector<const Kernels*> tables;
  for (const char* const* name = nigh::available_levels(); *name != nullptr; ++name) tables.push_back(nigh::kernels_for(*name));
  return tables;
}

std::vector<size_t> dims() {
  std::vector<size_t> all;
  for (size_t dim = 1; dim <= 130; ++dim) all.push_back(dim);
  for (const size_t dim : {191, 192, 193, 255, 256, 300, 383, 384, 385, 511, 784, 785, 960, 1023, 1536}) all.push_back(dim);
  return all;
}

struct Sums {
  double dot = 0, l2 = 0, absolute = 0;
};
Sums in_double(const float* a, const float* b, size_t dim) {
  Sums sums;
  for (size_t i = 0; i < dim; ++i) {
    const double x = a[i], y = b[i];
    sums.dot += x * y;
    sums.absolute += std::fabs(x * y);
    sums.l2 += (x - y) * (x - y);
  }
  return sums;
}

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

}  // namespace

TEST("scalar is a level everywhere, levels have distinct names, and an unknown name has no table") {
  CHECK(std::string(nigh::available_levels()[0]) == "scalar");
  const std::vector<const Kernels*> tables = levels();
  for (size_t i = 0; i < tables.size(); ++i) {
    CHECK(tables[i] != nullptr);
    for (size_t j = 0; j < i; ++j) CHECK(std::string(tables[i]->name) != tables[j]->name);
  }
  CHECK(nigh::kernels_for("sse9") == nullptr);
  CHECK(nigh::kernels_for("") == nullptr);
  CHECK(nigh::kernels_for(nigh::kernels().name) == &nigh::kernels());
}

TEST("dot and l2 of every level are within the rounding bound of the sum in double, for every dimension") {
  Rng rng(1);
  for (const Kernels* table : levels()) {
    for (const size_t dim : dims()) {
      Exact a(dim), b(dim);
      a.fill(rng);
      b.fill(rng);
      const Sums expected = in_double(a.data(), b.data(), dim);
      const double gamma = static_cast<double>(dim + 3) * kUnit;
      CHECK_NEAR(table->dot(a.data(), b.data(), dim), expected.dot, gamma * expected.absolute);
      CHECK_NEAR(table->l2(a.data(), b.data(), dim), expected.l2, gamma * expected.l2);
      CHECK(table->l2(a.data(), a.data(), dim) == 0.0f);
    }
  }
}

TEST("axpy of every level adds alpha x to every element and to none beyond") {
  Rng rng(2);
  for (const Kernels* table : levels()) {
    for (const size_t dim : dims()) {
      Exact x(dim), y(dim);
      x.fill(rng);
      y.fill(rng);
      std::vector<float> before(y.data(), y.data() + dim);
      table->axpy(0.75f, x.data(), y.data(), dim);
      for (size_t i = 0; i < dim; ++i) {
        CHECK_NEAR(y[i], before[i] + 0.75 * x[i], 2 * kUnit * (std::fabs(before[i]) + std::fabs(x[i])));
      }
    }
  }
}

TEST("gather and scan give the bits of the single kernels, for every dimension and count, in any order of slots") {
  Rng rng(3);
  for (const Kernels* table : levels()) {
    for (const size_t dim : dims()) {
      const size_t stride = dim + dim % 3;
      const size_t rows = 1 + rng.below(23);
      Exact data((rows - 1) * stride + dim), query(dim);
      data.fill(rng);
      query.fill(rng);
      std::vector<uint32_t> slots(rng.below(70));
      for (uint32_t& slot : slots) slot = rng.below(static_cast<uint32_t>(rows));
      std::vector<float> out(slots.size() + 1, 7.0f);
      table->dot_gather(query.data(), data.data(), stride, slots.data(), slots.size(), dim, out.data());
      for (size_t j = 0; j < slots.size(); ++j) {
        CHECK(same_bits(out[j], table->dot(query.data(), data.data() + slots[j] * stride, dim)));
      }
      table->l2_gather(query.data(), data.data(), stride, slots.data(), slots.size(), dim, out.data());
      for (size_t j = 0; j < slots.size(); ++j) {
        CHECK(same_bits(out[j], table->l2(query.data(), data.data() + slots[j] * stride, dim)));
      }
      CHECK(out.back() == 7.0f);
      std::vector<float> scanned(rows + 1, 7.0f);
      table->dot_scan(query.data(), data.data(), stride, rows, dim, scanned.data());
      for (size_t j = 0; j < rows; ++j) CHECK(same_bits(scanned[j], table->dot(query.data(), data.data() + j * stride, dim)));
      table->l2_scan(query.data(), data.data(), stride, rows, dim, scanned.data());
      for (size_t j = 0; j < rows; ++j) CHECK(same_bits(scanned[j], table->l2(query.data(), data.data() + j * stride, dim)));
      CHECK(scanned.back() == 7.0f);
    }
  }
}

TEST("the product of every level is the product of the definition, for odd shapes, and writes nothing beyond its columns") {
  Rng rng(4);
  const size_t shapes[][3] = {{1, 1, 1},    {1, 33, 100}, {2, 31, 7},    {5, 17, 16},   {12, 32, 100}, {13, 33, 101},
                              {25, 65, 15}, {7, 64, 784}, {24, 48, 384}, {11, 40, 385}, {30, 100, 64}, {3, 1, 1000}};
  for (const Kernels* table : levels()) {
    for (const auto& [m, n, dim] : shapes) {
      const size_t ld = n + 5;
      Exact a(m * dim), b(n * dim);
      a.fill(rng);
      b.fill(rng);
      nigh::Buffer<float> scratch(table->gemm_scratch(m, n, dim));
      std::vector<float> out(m * ld, 7.0f);
      table->gemm_nt(a.data(), m, b.data(), n, dim, out.data(), ld, scratch.data());
      for (size_t i = 0; i < m; ++i) {
        for (size_t j = 0; j < n; ++j) {
          const Sums expected = in_double(a.data() + i * dim, b.data() + j * dim, dim);
          CHECK_NEAR(out[i * ld + j], expected.dot, static_cast<double>(dim + 3) * kUnit * expected.absolute);
        }
        for (size_t j = n; j < ld; ++j) CHECK(out[i * ld + j] == 7.0f);
      }
    }
  }
}

TEST("a product writes its scratch only where gemm_scratch says") {
  Rng rng(5);
  for (const Kernels* table : levels()) {
    for (size_t round = 0; round < 20; ++round) {
      const size_t m = 1 + rng.below(40), n = 1 + rng.below(80), dim = 1 + rng.below(500);
      Exact a(m * dim), b(n * dim);
      a.fill(rng);
      b.fill(rng);
      const size_t wanted = table->gemm_scratch(m, n, dim);
      nigh::Buffer<float> scratch(wanted + 16);
      for (size_t i = wanted; i < scratch.size(); ++i) scratch[i] = 7.0f;
      std::vector<float> out(m * n);
      table->gemm_nt(a.data(), m, b.data(), n, dim, out.data(), n, scratch.data());
      for (size_t i = wanted; i < scratch.size(); ++i) CHECK(scratch[i] == 7.0f);
    }
  }
}

TEST("select_le of every level selects what the definition does, NaN and infinities included") {
  Rng rng(6);
  const float infinity = std::numeric_limits<float>::infinity();
  const float special[] = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 0.0f, -0.0f};
  for (const Kernels* table : levels()) {
    for (size_t count = 0; count < 100; ++count) {
      Exact values(count), offsets(count);
      for (size_t i = 0; i < count; ++i) {
        values[i] = rng.below(5) == 0 ? special[rng.below(5)] : static_cast<float>(rng.below(9)) - 4;
        offsets[i] = static_cast<float>(rng.below(3)) - 1;
      }
      for (const float limit : {0.0f, 1.0f, -2.0f, infinity, -infinity}) {
        for (const float scale : {1.0f, -1.0f, -2.0f}) {
          for (const bool with_offsets : {false, true}) {
            std::vector<uint32_t> expected;
            for (size_t i = 0; i < count; ++i) {
              if (!(scale * values[i] + (with_offsets ? offsets[i] : 0.0f) > limit)) expected.push_back(static_cast<uint32_t>(i));
            }
            std::vector<uint32_t> got(count);
            got.resize(table->select_le(values.data(), scale, with_offsets ? offsets.data() : nullptr, count, limit, got.data()));
            CHECK(got == expected);
          }
        }
      }
    }
  }
}

TEST("the int8 product is exact on every level, extremes included") {
  Rng rng(7);
  for (const Kernels* table : levels()) {
    for (const size_t dim : {64, 128, 192, 256, 320, 384, 832, 1024, 1088, 2048, 65536}) {
      const size_t stride = static_cast<size_t>(dim) + (dim < 4096 ? 64 : 0);
      const size_t rows = dim < 4096 ? 19 : 5;
      std::vector<uint8_t> codes(rows * stride);
      std::vector<int8_t> query(dim);
      for (int pattern = 0; pattern < 6; ++pattern) {
        for (uint8_t& code : codes) {
          const uint8_t extreme[] = {0, 255, static_cast<uint8_t>(rng.below(2) * 255)};
          code = pattern < 5 ? extreme[pattern % 3] : static_cast<uint8_t>(rng.below(256));
        }
        for (int8_t& value : query) {
          const int8_t extreme[] = {-128, 127, static_cast<int8_t>(rng.below(2) == 0 ? -128 : 127)};
          value = pattern < 5 ? extreme[pattern / 2] : static_cast<int8_t>(static_cast<int>(rng.below(256)) - 128);
        }
        std::vector<uint32_t> slots(rng.below(30));
        for (uint32_t& slot : slots) slot = rng.below(static_cast<uint32_t>(rows));
        std::vector<int32_t> out(slots.size() + 1, 7);
        table->dot_i8_gather(query.data(), codes.data(), stride, slots.data(), slots.size(), dim, out.data());
        for (size_t j = 0; j < slots.size(); ++j) {
          int64_t expected = 0;
          for (int i = 0; i < static_cast<int>(dim); ++i) expected += query[i] * (codes[slots[j] * stride + i] - 128);
          CHECK(out[j] == expected);
        }
        CHECK(out.back() == 7);
      }
    }
  }
}
