#include "index/search_plan.h"

namespace nigh {

namespace {

// From this share of allowed rows around the query on, stepping over the rejected costs less than looking behind them.
constexpr double kMostAllowed = 0.4;

// Rows of a scan that cost as much as one link of a node that a walk looks at, for every candidate that it keeps.
constexpr double kLinkCost = 1.0;

// Around the query fewer than this part of what the share of the whole promises: the allowed rows lie elsewhere, most of them
// about equally far, and a walk finds some of them rather than the nearest.
constexpr double kElsewhere = 0.5;

// A row fetched from anywhere in memory costs as much as so many of a scan in order.
constexpr size_t kFetchedRow = 4;

}  // namespace

Plan exact_plan(const PlanQuestion& question, bool filtered) {
  return filtered && question.matching <= question.rows / kFetchedRow ? Plan::kAllowedScan : Plan::kScan;
}

Plan choose_plan(const PlanQuestion& question, bool filtered) {
  if (question.pool * 2 >= question.matching) return exact_plan(question, filtered);
  if (!filtered) return Plan::kGraph;
  const auto matching = static_cast<double>(question.matching);
  const double share = matching / static_cast<double>(question.rows);
  const double around = question.around < 0 ? share : question.around;
  if (around < share * kElsewhere) return exact_plan(question, filtered);
  const double walk = static_cast<double>(question.pool * question.degree) * kLinkCost;
  if (matching < walk) return exact_plan(question, filtered);
  return around >= kMostAllowed ? Plan::kFilteredGraph : Plan::kTwoHopGraph;
}

}  // namespace nigh
