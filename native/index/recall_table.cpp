#include "index/recall_table.h"

#include <algorithm>
#include <cmath>

namespace nigh {

namespace {

constexpr RecallTable::Curve kGammas = {0.0f,  0.01f, 0.02f, 0.03f, 0.04f, 0.05f, 0.06f, 0.07f, 0.08f, 0.1f, 0.12f, 0.14f,
                                        0.17f, 0.2f,  0.25f, 0.3f,  0.4f,  0.5f,  0.65f, 0.8f,  1.0f,  1.4f, 2.0f,  3.0f};
constexpr RecallTable::Curve kPools = {1,  2,  3,  4,  6,  8,  10,  12,  16,  20,  24,  28,
                                       32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512};

// Where a curve reaches `wanted`: linear between two levels.
double effort_at(const RecallTable::Curve& efforts, const RecallTable::Curve& recall, double wanted) {
  const double reached = std::min<double>(wanted, recall.back());
  const size_t level =
      static_cast<size_t>(std::find_if(recall.begin(), recall.end(), [&](float r) { return r >= reached; }) - recall.begin());
  if (level == 0) return efforts[0];
  const double below = recall[level - 1];
  const double share = (reached - below) / (recall[level] - below);
  return efforts[level - 1] + share * (static_cast<double>(efforts[level]) - efforts[level - 1]);
}

}  // namespace

RecallTable RecallTable::unmeasured(Metric metric) {
  RecallTable table;
  table.kind = metric == Metric::kIp ? Kind::kPool : Kind::kGamma;
  table.efforts = metric == Metric::kIp ? kPools : kGammas;
  return table;
}

bool RecallTable::valid() const {
  const auto ascends = [](const Curve& curve, float most) {
    if (!(curve[0] >= 0)) return false;
    for (size_t i = 1; i < kLevels; ++i) {
      if (!(curve[i] >= curve[i - 1])) return false;
    }
    return curve.back() <= most;
  };
  if (kind != Kind::kGamma && kind != Kind::kPool) return false;
  if (neighbors[0] == 0 || neighbors[1] <= neighbors[0] || neighbors[2] <= neighbors[1]) return false;
  return ascends(efforts, 1e6f) && std::all_of(recall.begin(), recall.end(), [&](const Curve& c) { return ascends(c, 1.0f); });
}

void RecallTable::lower_to(const RecallTable& other) {
  queries += other.queries;
  for (size_t c = 0; c < kCounts; ++c) {
    for (size_t level = 0; level < kLevels; ++level) recall[c][level] = std::min(recall[c][level], other.recall[c][level]);
  }
}

double RecallTable::effort_for(double wanted, size_t k) const {
  size_t right = 0;
  while (right + 1 < kCounts && neighbors[right] < k) ++right;
  const double at_right = effort_at(efforts, recall[right], wanted);
  if (right == 0 || k >= neighbors[right]) {
    // A pool grows with what it must hold; γ is a ratio already.
    return kind == Kind::kPool && k > neighbors[right] ? at_right * static_cast<double>(k) / neighbors[right] : at_right;
  }
  const double low = std::log(neighbors[right - 1]);
  const double share = (std::log(static_cast<double>(k)) - low) / (std::log(neighbors[right]) - low);
  const double at_left = effort_at(efforts, recall[right - 1], wanted);
  return at_left + share * (at_right - at_left);
}

}  // namespace nigh
