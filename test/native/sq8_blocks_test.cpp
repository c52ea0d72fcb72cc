// Exact search by codes: that the bounds hold for every row of sets made to break them, that every level computes them alike, and
// that the answers are those of a naive loop.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "index/exact_scan.h"
#include "index/flat_index.h"
#include "quant/sq8.h"
#include "quant/sq8_blocks.h"
#include "quant/sq8_row_bounds.h"
#include "simd/kernels.h"

namespace {

using nigh::Buffer;
using nigh::FlatIndex;
using nigh::IdSet;
using nigh::Kernels;
using nigh::Metric;
using nigh::Neighbor;
using nigh::Quantization;
using nigh::Rng;
using nigh::Sq8BlockBounds;
using nigh::Sq8Blocks;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kIp, Metric::kCosine};

float random_sign(Rng& rng) { return rng.below(2) == 0 ? 1.0f : -1.0f; }

// Sets of rows in which distances are hard to tell apart, or numbers are hard to compute with.
enum Kind { kNormal, kEqual, kLastBit, kTies, kNorms, kExtremes, kSubnormal, kSparse, kOutliers, kFarOff, kNearQuery, kKinds };

void fill_row(Rng& rng, Kind kind, const std::vector<float>& centre, float* row) {
  const size_t dim = centre.size();
  const auto normal = [&] { return static_cast<float>(rng.normal()); };
  const float norm = std::pow(10.0f, static_cast<float>(rng.uniform() * 40 - 20));
  for (size_t d = 0; d < dim; ++d) {
    switch (kind) {
      case kEqual:
        row[d] = centre[d];
        break;
      case kLastBit:
        row[d] = std::nextafter(centre[d], rng.below(2) == 0 ? 10.0f : -10.0f);
        break;
      case kTies:
        row[d] = static_cast<float>(rng.below(3)) - 1;
        break;
      case kNorms:
        row[d] = normal() * norm;
        break;
      case kExtremes:  // products and sums overflow
        row[d] = random_sign(rng) * (rng.below(50) == 0 ? std::numeric_limits<float>::max() : 1.0f);
        break;
      case kSubnormal:
        row[d] = random_sign(rng) * static_cast<float>(rng.below(5)) * std::numeric_limits<float>::denorm_min();
        break;
      case kSparse:
        row[d] = rng.below(10) == 0 ? normal() : 0.0f;
        break;
      case kOutliers:  // one value sets the scale, the others are lost in it
        row[d] = d == 0 ? 1000.0f : normal();
        break;
      case kFarOff:
        row[d] = 100.0f + normal() * 0.001f;
        break;
      case kNearQuery:
        row[d] = centre[d] + normal() * 0.02f;
        break;
      default:
        row[d] = normal();
    }
  }
}

struct Sample {
  Metric metric = Metric::kL2;
  size_t count = 0, dim = 0;
  std::vector<float> rows, query;
  std::vector<uint32_t> ids;
};

bool has_direction(const float* row, size_t dim) {
  double squares = 0;
  for (size_t d = 0; d < dim; ++d) squares += static_cast<double>(row[d]) * static_cast<double>(row[d]);
  return squares > 0;
}

Sample sample(Rng& rng, Metric metric, size_t count) {
  const size_t dim = rng.below(3) == 0 ? 1 + rng.below(200) : 1 + rng.below(20);
  Sample out{metric, count, dim, std::vector<float>(count * dim), std::vector<float>(dim), std::vector<uint32_t>(count)};
  std::vector<float> centre(dim);
  for (float& value : centre) value = static_cast<float>(rng.normal());
  const Kind one = static_cast<Kind>(rng.below(kKinds)), other = static_cast<Kind>(rng.below(kKinds));
  const bool zeros = metric != Metric::kCosine && rng.below(3) == 0;
  for (size_t i = 0; i < count; ++i) {
    float* row = out.rows.data() + i * dim;
    fill_row(rng, rng.below(8) == 0 ? other : one, centre, row);
    if (zeros && rng.below(4) == 0) std::fill_n(row, dim, 0.0f);
    if (metric == Metric::kCosine && !has_direction(row, dim)) row[0] = 1.0f;
    out.ids[i] = static_cast<uint32_t>((i * 7919) % count) * 3;  // 7919 is prime: distinct while count is no multiple of it
  }
  switch (rng.below(4)) {
    case 0:
      out.query.assign(out.rows.begin(), out.rows.begin() + static_cast<std::ptrdiff_t>(dim));
      break;
    case 1:
      fill_row(rng, other, centre, out.query.data());
      break;
    case 2:
      fill_row(rng, one, centre, out.query.data());
      break;
    default:
      out.query = centre;
  }
  if (metric == Metric::kCosine && !has_direction(out.query.data(), dim)) out.query[0] = 1.0f;
  return out;
}

// What a search returns as the distance of each row, computed row by row.
std::vector<Neighbor> all_distances(const Sample& sample, const std::vector<float>& rows, const std::vector<float>& query) {
  const Kernels& simd = nigh::kernels();
  const auto kernel = sample.metric == Metric::kL2 ? simd.l2 : simd.dot;
  std::vector<Neighbor> out;
  for (size_t i = 0; i < sample.count; ++i) {
    const float value = kernel(query.data(), rows.data() + i * sample.dim, sample.dim);
    out.push_back({nigh::flat_distance(sample.metric, value), sample.ids[i]});
  }
  return out;
}

std::vector<float> prepared(const Sample& sample, const std::vector<float>& rows) {
  std::vector<float> out(rows.size());
  const nigh::FlatView view{sample.metric, sample.dim, 0, nullptr, nullptr};
  for (size_t i = 0; i < rows.size(); i += sample.dim) nigh::prepare_flat_query(view, rows.data() + i, out.data() + i, 0);
  return out;
}

}  // namespace

namespace {

// How often a row at the bound or under it is ruled out, each row's distance being the bound once.
template <class Bounds>
size_t wrongly_ruled_out(const Bounds& bounds, const std::vector<Neighbor>& distances) {
  if (!bounds.usable()) return 0;
  const size_t count = distances.size();
  std::vector<float> values(count + 16);
  size_t wrong = 0;
  for (size_t i = 0; i < count; ++i) {
    const float bound = distances[i].distance;
    if (bound == std::numeric_limits<float>::infinity()) continue;
    bounds.values(0, count, bound, values.data());
    const float limit = bounds.limit(bound);
    for (size_t j = 0; j < count; ++j) wrong += distances[j].distance <= bound && values[j] > limit;
  }
  return wrong;
}

}  // namespace

TEST("no row whose distance is at the bound or under it is ever ruled out, however the rows are made") {
  for (uint64_t seed = 0; seed < 600; ++seed) {
    Rng rng(seed);
    const Sample set = sample(rng, kMetrics[seed % 3], 1 + rng.below(90));
    const std::vector<float> rows = prepared(set, set.rows), query = prepared(set, set.query);
    const std::vector<Neighbor> distances = all_distances(set, rows, query);

    const Sq8Blocks blocks(set.metric, set.dim, Buffer<uint8_t>(Sq8Blocks::bytes_for(set.metric, set.dim, set.count)));
    for (size_t i = 0; i < set.count; ++i) blocks.put(i, rows.data() + i * set.dim);
    CHECK(wrongly_ruled_out(Sq8BlockBounds(blocks, query.data()), distances) == 0);

    for (const bool terms_apart : {false, true}) {
      const size_t stride = nigh::sq8_stride(set.dim, terms_apart);
      std::vector<uint8_t> codes(set.count * stride);
      std::vector<float> terms(set.count * 2);
      const auto coded = nigh::Sq8Rows::of(codes.data(), stride, terms_apart ? terms.data() : nullptr);
      for (size_t i = 0; i < set.count; ++i) nigh::sq8_encode(rows.data() + i * set.dim, set.dim, set.metric, coded, i);
      CHECK(wrongly_ruled_out(nigh::Sq8RowBounds(coded, set.dim, set.metric, query.data()), distances) == 0);
    }
  }
}

TEST("a search by codes gives the ids, ties and distances of a naive loop over the same distances, which are the true ones") {
  size_t by_codes = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed + 5000);
    const Sample set = sample(rng, kMetrics[seed % 3], 1024 + rng.below(2500));
    const auto index = FlatIndex::build({set.rows.data(), set.count, set.dim}, set.ids.data(), set.metric, Quantization::kSq8);
    const std::vector<float> rows = prepared(set, set.rows), query = prepared(set, set.query);
    std::vector<Neighbor> expected = all_distances(set, rows, query);
    const double gamma = 1.02 * (static_cast<double>(set.dim) + 16) * 0x1p-24;
    for (size_t i = 0; i < set.count; ++i) {  // the distances themselves, against double
      double dot = 0, reach = 0, l2 = 0;
      for (size_t d = 0; d < set.dim; ++d) {
        const double q = query[d], x = rows[i * set.dim + d];
        dot += q * x;
        reach += std::fabs(q * x);
        l2 += (q - x) * (q - x);
      }
      if (std::max(reach, l2) > 1e37) continue;
      const double underflow = static_cast<double>(set.dim) * 0x1p-140;
      if (set.metric == Metric::kL2) {
        CHECK_NEAR(expected[i].distance, l2, gamma * l2 + underflow);
      } else {
        const bool cosine = set.metric == Metric::kCosine;
        CHECK_NEAR(expected[i].distance, (cosine ? 1 : 0) - dot, gamma * reach + (cosine ? 1.3e-7 : 0) + underflow);
      }
    }
    nigh::SearchParams params;
    params.k = rng.below(6) == 0 ? set.count + rng.below(3) : 1 + rng.below(40);
    std::vector<uint32_t> denied;
    for (const uint32_t id : set.ids) {
      if (rng.below(3) == 0) denied.push_back(id);
    }
    const IdSet filter = IdSet::deny(denied);
    if (rng.below(2) == 0) {
      params.filter = &filter;
      std::erase_if(expected, [&](const Neighbor& neighbor) { return !filter.contains(neighbor.id); });
    }
    std::sort(expected.begin(), expected.end());
    expected.resize(std::min(expected.size(), params.k));
    nigh::SearchStats stats;
    CHECK(index->search(set.query.data(), params, stats) == expected);

    nigh::RowStore store = nigh::RowStore::create(set.metric, Quantization::kSq8, set.dim).grown(set.count);
    for (size_t i = 0; i < set.count; ++i) {
      store.put(static_cast<uint32_t>(i), set.rows.data() + i * set.dim, set.ids[i], i);
    }
    CHECK(nigh::scan_rows(store, set.count, query.data(), params.k, params.filter, {}) == expected);
    by_codes += params.k < 1024;
  }
  CHECK(by_codes > 100);
}

TEST("the values of every level are the definition's up to rounding, for every dimension") {
  Rng rng(3);
  for (const char* const* name = nigh::available_levels(); *name != nullptr; ++name) {
    const Kernels& table = *nigh::kernels_for(*name);
    for (const size_t groups : {1, 2, 3, 7, 8, 25, 32, 33, 100, 4096}) {
      for (const bool companions : {false, true}) {
        const size_t stride = (groups + (companions ? 2 : 1)) * 64, blocks = groups > 1000 ? 1 : 3;
        std::vector<uint8_t> bytes(blocks * stride);
        std::vector<int8_t> high(groups * 4), low(groups * 4);
        const bool extremes = rng.below(2) == 0;
        const auto code = [&] { return extremes ? random_sign(rng) * 127.0f : static_cast<float>(rng.below(255)) - 127; };
        for (int8_t& value : high) value = static_cast<int8_t>(code());
        for (int8_t& value : low) value = static_cast<int8_t>(code());
        std::vector<double> expected, tolerance;
        const nigh::I8BlockQuery query{high.data(), low.data(), groups, -0x1.8p-9f, 3.5f, 0.75f, companions};
        for (size_t b = 0; b < blocks; ++b) {
          uint8_t* block = bytes.data() + b * stride;
          for (size_t r = 0; r < 16; ++r) {
            double product = 0, absolute = 0;
            for (size_t i = 0; i < groups * 4; ++i) {
              const double value = static_cast<int>(code());
              block[i / 4 * 64 + r * 4 + i % 4] = static_cast<uint8_t>(value + 128);
              product += value * (255.0 * high[i] + low[i]);
              absolute += std::fabs(value) * (255.0 * std::fabs(high[i]) + std::fabs(low[i]));
            }
            const uint32_t terms = 0x3f000000u + (rng.below(100) << 16) + 0x3f80u + rng.below(100);
            const auto companion = static_cast<float>(rng.normal());
            std::memcpy(block + groups * 64 + r * 4, &terms, 4);
            if (companions) std::memcpy(block + (groups + 1) * 64 + r * 4, &companion, 4);
            float scale, error;
            const uint32_t upper = terms & 0xffff0000u, lower = terms << 16;
            std::memcpy(&scale, &upper, 4);
            std::memcpy(&error, &lower, 4);
            const double added = companions ? companion : 0.0;
            expected.push_back(scale * (-0x1.8p-9 * product - 3.5) - 0.75 * error + added);
            tolerance.push_back(0x1p-21 * (scale * (0x1.8p-9 * absolute + 3.5) + 0.75 * error + std::fabs(added)));
          }
        }
        std::vector<float> out(blocks * 16 + 1, 7.0f);
        table.score_i8_blocks(query, bytes.data(), stride, blocks, out.data());
        for (size_t j = 0; j < expected.size(); ++j) CHECK_NEAR(out[j], expected[j], tolerance[j]);
        CHECK(out.back() == 7.0f);
      }
    }
  }
}

TEST("codes rule out most rows of a set without structure") {
  Rng rng(4);
  for (const Metric metric : kMetrics) {
    const size_t count = 4000, dim = 64;
    std::vector<float> rows(count * dim), query(dim), values(count);
    for (float& value : rows) value = static_cast<float>(rng.normal()) / 8;
    for (float& value : query) value = static_cast<float>(rng.normal()) / 8;
    const Sample set{metric, count, dim, {}, {}, std::vector<uint32_t>(count)};
    const std::vector<float> stored = prepared(set, rows), wanted = prepared(set, query);
    const Sq8Blocks blocks(metric, dim, Buffer<uint8_t>(Sq8Blocks::bytes_for(metric, dim, count)));
    for (size_t i = 0; i < count; ++i) blocks.put(i, stored.data() + i * dim);
    std::vector<Neighbor> distances = all_distances(set, stored, wanted);
    std::nth_element(distances.begin(), distances.begin() + 9, distances.end());
    const Sq8BlockBounds bounds(blocks, wanted.data());
    bounds.values(0, count, distances[9].distance, values.data());
    const float limit = bounds.limit(distances[9].distance);
    CHECK(std::count_if(values.begin(), values.end(), [&](float value) { return !(value > limit); }) < 30);
  }
}
