#include "index/search_plan.h"

#include <algorithm>

namespace nigh {

namespace {

// Costs, in rows of a scan in order.
constexpr double kListedRow = 1.6;   // a listed row of a scan
constexpr double kLink = 2.0;        // a link of a node that is expanded, …
constexpr double kWadingLink = 5.0;  // … where hardly any of them is allowed: all are new, and the pool grows
constexpr double kTwoHopLink = 10;   // the same where the walk looks behind the rejected, …
constexpr double kLinkBehind = 1.5;  // … and for each that it must look at to find one allowed

// Around the query fewer than this part of what the share of the whole promises: the allowed rows lie elsewhere, most of them
// about equally far, and a walk finds some of them rather than the nearest.
constexpr double kElsewhere = 0.5;

// A walk may cost so many times what was expected before it is given up, …
constexpr double kPatience = 2;
// … or this part of what the scan costs that is then done after all.
constexpr double kPartOfScan = 0.5;

double scan_cost(const PlanQuestion& question) {
  return std::min(static_cast<double>(question.rows), static_cast<double>(question.matching) * kListedRow);
}

double share_met(const PlanQuestion& question) {
  return question.around < 0 ? static_cast<double>(question.matching) / static_cast<double>(question.rows) : question.around;
}

// Of one expanded node.
double node_cost(const PlanQuestion& question, Plan plan) {
  const double link = plan == Plan::kTwoHopGraph ? kTwoHopLink + kLinkBehind / share_met(question) : kLink;
  return static_cast<double>(question.degree) * link;
}

// A walk that steps over the rejected expands them too.
double nodes_expanded(const PlanQuestion& question, Plan plan) {
  return static_cast<double>(question.expansions) / (plan == Plan::kTwoHopGraph ? 1 : share_met(question));
}

double walk_cost(const PlanQuestion& question, Plan plan) { return nodes_expanded(question, plan) * node_cost(question, plan); }

}  // namespace

Plan exact_plan(const PlanQuestion& question, bool filtered) {
  return filtered && static_cast<double>(question.matching) * kListedRow <= static_cast<double>(question.rows)
             ? Plan::kAllowedScan
             : Plan::kScan;
}

Plan choose_plan(const PlanQuestion& question, bool filtered) {
  if (question.pool * 2 >= question.matching) return exact_plan(question, filtered);
  if (!filtered) return Plan::kGraph;
  const double share = static_cast<double>(question.matching) / static_cast<double>(question.rows);
  if (share_met(question) <= share * kElsewhere) return exact_plan(question, filtered);
  const double stepping = walk_cost(question, Plan::kFilteredGraph);
  const double looking = walk_cost(question, Plan::kTwoHopGraph);
  if (scan_cost(question) <= std::min(stepping, looking)) return exact_plan(question, filtered);
  return stepping <= looking ? Plan::kFilteredGraph : Plan::kTwoHopGraph;
}

size_t walk_budget(const PlanQuestion& question, Plan plan) {
  const double wading = static_cast<double>(question.degree) * kWadingLink;
  const double node = plan == Plan::kTwoHopGraph ? node_cost(question, plan) : wading;
  return static_cast<size_t>(std::max(kPatience * nodes_expanded(question, plan), kPartOfScan * scan_cost(question) / node));
}

}  // namespace nigh
