// Which plan answers a search: the cheapest by a model of what each costs. docs/decisions/0008-plans-of-a-filtered-search.md has
// the measurements.
#pragma once

#include <cstddef>

#include "index/vector_index.h"

namespace nigh {

struct PlanQuestion {
  size_t rows = 0;        // of the index
  size_t matching = 0;    // of these, how many the filter allows, about
  size_t pool = 0;        // candidates that the walk would keep
  size_t expansions = 0;  // nodes that it would expand without a filter, about
  size_t degree = 0;      // links of a node on layer 0
  double around = -1;     // share of allowed rows among those around the query; below 0: not known
};

/// kScan or kGraph where all rows match; with a filter also kAllowedScan, kTwoHopGraph or kFilteredGraph.
Plan choose_plan(const PlanQuestion& question, bool filtered);

/// kScan or kAllowedScan.
Plan exact_plan(const PlanQuestion& question, bool filtered);

/// How many nodes a walk under a filter may expand. One that needs more than its plan promised and than comparing the matching
/// rows would have cost is wading through what is denied, and what it will find there is not the nearest.
size_t walk_budget(const PlanQuestion& question, Plan plan);

}  // namespace nigh
