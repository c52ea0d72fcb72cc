#include "train/sppmi.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"

namespace nigh {

namespace {

constexpr size_t kRowsOfChunk = 64;

struct Chunk {
  std::vector<uint32_t> lengths;
  std::vector<uint32_t> columns;
  std::vector<float> values;
};

}  // namespace

OwnedCsr sppmi(const CsrView& interactions, const CsrView& transposed, float negatives, size_t longest_history, size_t max_lanes,
               TaskControl& control) {
  const size_t n = interactions.cols;
  control.set_total(n);
  const auto history = [&](size_t user) -> size_t { return interactions.offsets[user + 1] - interactions.offsets[user]; };
  std::vector<double> marginals(n);
  double pairs = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t e = transposed.offsets[i]; e < transposed.offsets[i + 1]; ++e) {
      const size_t length = history(transposed.columns[e]);
      if (length <= longest_history) marginals[i] += static_cast<double>(length - 1);
    }
    pairs += marginals[i];
  }
  if (pairs == 0) throw Error("EMPTY_DATASET", "No two items share a user.");

  const double shift = std::log(double{negatives});
  struct Lane {
    std::vector<uint32_t> counts;
    std::vector<uint32_t> touched;
  };
  std::vector<Lane> lanes(ThreadPool::shared().lanes(max_lanes));
  std::vector<Chunk> chunks((n + kRowsOfChunk - 1) / kRowsOfChunk);
  ThreadPool::shared().parallel_for(chunks.size(), 1, max_lanes, [&](size_t begin, size_t end, size_t number) {
    Lane& lane = lanes[number];
    lane.counts.resize(n, 0);
    for (size_t at = begin; at < end; ++at) {
      control.check();
      Chunk& chunk = chunks[at];
      const size_t last = std::min(n, (at + 1) * kRowsOfChunk);
      for (size_t i = at * kRowsOfChunk; i < last; ++i) {
        lane.touched.clear();
        for (size_t e = transposed.offsets[i]; e < transposed.offsets[i + 1]; ++e) {
          const size_t user = transposed.columns[e];
          if (history(user) > longest_history) continue;
          for (size_t f = interactions.offsets[user]; f < interactions.offsets[user + 1]; ++f) {
            const uint32_t j = interactions.columns[f];
            if (j != i && lane.counts[j]++ == 0) lane.touched.push_back(j);
          }
        }
        std::sort(lane.touched.begin(), lane.touched.end());
        const size_t before = chunk.columns.size();
        for (const uint32_t j : lane.touched) {
          const double value = std::log(lane.counts[j] * pairs / (marginals[i] * marginals[j])) - shift;
          lane.counts[j] = 0;
          if (!(value > 0)) continue;
          chunk.columns.push_back(j);
          chunk.values.push_back(static_cast<float>(value));
        }
        chunk.lengths.push_back(static_cast<uint32_t>(chunk.columns.size() - before));
      }
      control.advance(last - at * kRowsOfChunk);
    }
  });

  size_t entries = 0;
  for (const Chunk& chunk : chunks) entries += chunk.columns.size();
  if (entries > std::numeric_limits<uint32_t>::max()) {
    throw Error("OUT_OF_MEMORY", "More than 2^32 − 1 pairs of items share users: raise negatives, or lower longestHistory.");
  }
  OwnedCsr out;
  out.cols = n;
  out.offsets.reserve(n + 1);
  out.offsets.push_back(0);
  out.columns.reserve(entries);
  out.values.reserve(entries);
  for (Chunk& chunk : chunks) {
    for (const uint32_t length : chunk.lengths) out.offsets.push_back(out.offsets.back() + length);
    out.columns.insert(out.columns.end(), chunk.columns.begin(), chunk.columns.end());
    out.values.insert(out.values.end(), chunk.values.begin(), chunk.values.end());
    chunk = {};
  }
  return out;
}

}  // namespace nigh
