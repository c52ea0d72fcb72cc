// TopK against sorting everything.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "base/top_k.h"
#include "check.h"

using nigh::Neighbor;
using nigh::Rng;
using nigh::TopK;

TEST("the k kept are the first k of the sorted stream, in order, ties by the smaller id, for any order of arrival") {
  Rng rng(31);
  for (size_t round = 0; round < 500; ++round) {
    const size_t count = rng.below(300), k = rng.below(40);
    const uint32_t distinct = 1 + rng.below(20);  // few distances, so many ties
    std::vector<Neighbor> stream(count);
    for (size_t i = 0; i < count; ++i) stream[i] = {static_cast<float>(rng.below(distinct)) - 5.0f, static_cast<uint32_t>(i)};
    for (size_t i = count; i > 1; --i) std::swap(stream[i - 1], stream[rng.below(static_cast<uint32_t>(i))]);
    TopK best(k);
    for (const Neighbor& neighbor : stream) best.push(neighbor);
    std::sort(stream.begin(), stream.end());
    stream.resize(std::min(k, count));
    CHECK(best.size() == stream.size());
    CHECK(best.full() == (stream.size() == k));
    CHECK(best.take_sorted() == stream);
    CHECK(best.size() == 0);
  }
}

TEST("nothing above the bound can enter, and a tie at the bound with a smaller id does") {
  Rng rng(32);
  for (size_t round = 0; round < 200; ++round) {
    const size_t k = 1 + rng.below(10);
    TopK best(k);
    std::vector<Neighbor> kept;
    for (uint32_t id = 1000; id-- > 0;) {
      const Neighbor candidate{static_cast<float>(rng.below(50)), id};
      const float bound = best.bound();
      CHECK(best.full() ? !std::isinf(bound) : bound == std::numeric_limits<float>::infinity());
      best.push(candidate);
      kept.push_back(candidate);
      std::sort(kept.begin(), kept.end());
      if (kept.size() > k) kept.pop_back();
      const bool entered = std::find(kept.begin(), kept.end(), candidate) != kept.end();
      if (candidate.distance > bound) CHECK(!entered);
      if (candidate.distance <= bound) CHECK(entered);  // ids descend, so a tie always wins
    }
    CHECK(best.take_sorted() == kept);
  }
}

TEST("k of zero keeps nothing and has a bound below everything") {
  TopK best(0);
  CHECK(best.bound() == -std::numeric_limits<float>::infinity());
  best.push({-1e30f, 1});
  CHECK(best.take_sorted().empty());
}
