#include "napi/index_arguments.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "napi/args.h"

namespace nigh::binding {

SearchParams search_params(const Napi::Value& settings, const IdSet* filter, size_t size) {
  enum { kK, kEfSearch, kRefineFactor, kExact, kRecall, kWithin, kSettings };
  const std::span<const double> values = typed_array<double>(settings, "settings", kSettings);
  // No answer is longer than the index, and no pool needs to be: a k of a billion must not reserve room for a billion.
  const auto most = static_cast<double>(std::max<size_t>(size, 1));
  const auto natural = [&](size_t at, const char* name) {
    if (!(values[at] >= 1)) wrong_argument(name, "at least 1");
    return static_cast<size_t>(std::min(values[at], most));
  };
  SearchParams params;
  params.k = natural(kK, "k");
  params.ef_search = natural(kEfSearch, "efSearch");
  params.refine_factor = natural(kRefineFactor, "refineFactor");
  params.exact = values[kExact] != 0;
  params.recall = values[kRecall];
  if (!(params.recall >= 0 && params.recall < 1)) wrong_argument("recall", "a number from 0 to below 1");
  // The nearest float: what is at a distance is within it.
  params.within = static_cast<float>(values[kWithin]);
  if (std::isnan(params.within)) wrong_argument("within", "a number");
  params.filter = filter;
  return params;
}

void require_dim(const char* name, size_t got, size_t expected) {
  if (got == expected) return;
  throw Error("DIMENSION_MISMATCH", std::string(name) + ": expected vectors of " + std::to_string(expected) + " values, got " +
                                        std::to_string(got) + ".");
}

Quantization quantization(const Napi::Value& value) {
  const std::string name = string(value, "quantization");
  if (name == "none") return Quantization::kNone;
  if (name == "sq8") return Quantization::kSq8;
  wrong_argument("quantization", "\"none\" or \"sq8\"");
}

const char* quantization_name(Quantization quantization) { return quantization == Quantization::kSq8 ? "sq8" : "none"; }

}  // namespace nigh::binding
