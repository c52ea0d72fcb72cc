#include "napi/index_arguments.h"

#include <algorithm>
#include <string>

#include "napi/args.h"

namespace nigh::binding {

SearchParams search_params(const Napi::CallbackInfo& info, size_t first, const IdSet* filter, size_t size) {
  // No answer is longer than the index, and no pool needs to be: a k of a billion must not reserve room for a billion.
  const uint64_t most = std::max<size_t>(size, 1);
  SearchParams params;
  const uint64_t k = integer(info[first], "k");
  if (k == 0) wrong_argument("k", "at least 1");
  params.k = std::min(k, most);
  params.ef_search = std::min(integer(info[first + 1], "efSearch"), most);
  params.refine_factor = std::min(integer(info[first + 2], "refineFactor"), most);
  params.exact = boolean(info[first + 3], "exact");
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
