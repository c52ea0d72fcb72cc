#include "napi/index_arguments.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "napi/args.h"

namespace nigh::binding {

namespace {

// By the value of Quantization.
constexpr const char* kQuantizationNames[kQuantizations] = {"none", "sq8", "f16"};

}  // namespace

SearchParams search_params(const Napi::Value& settings, const IdSet* filter) {
  enum { kK, kEfSearch, kRefineFactor, kExact, kRecall, kWithin, kSettings };
  const std::span<const double> values = typed_array<double>(settings, "settings", kSettings);
  // As many as there are ids, so that products fit; the index cuts them down to what it holds when the search begins.
  const auto natural = [&](size_t at, const char* name) {
    if (!(values[at] >= 1)) wrong_argument(name, "at least 1");
    return static_cast<size_t>(std::min(values[at], static_cast<double>(kNoId)));
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

VectorsView vectors(const Napi::Value& data, const Napi::Value& rows, const Napi::Value& dim, Metric metric, const char* name) {
  if (!on_bits(metric)) return matrix(data, rows, dim, name);
  const std::span<const uint8_t> bytes = typed_array<uint8_t>(data, name);
  const uint64_t row_count = integer(rows, "rows");
  const uint64_t bits = integer(dim, "dim");
  const uint64_t row_bytes = bits / 8 + (bits % 8 != 0);
  // The quotient, because the product of two 53-bit numbers may wrap.
  const bool fits = bits != 0 && bytes.size() % row_bytes == 0 && bytes.size() / row_bytes == row_count;
  if (!fits) wrong_argument(name, "rows x ceil(dim / 8) bytes with dim >= 1");
  return VectorsView::of_bits(bytes.data(), static_cast<size_t>(row_count), static_cast<size_t>(bits));
}

std::span<uint8_t> one_vector(const Napi::Value& value, const VectorIndex& index, const char* name) {
  const bool bits = on_bits(index.metric());
  uint8_t* data;
  size_t bytes;
  if (bits) {
    const std::span<uint8_t> array = typed_array<uint8_t>(value, name);
    data = array.data();
    bytes = array.size();
  } else {
    const std::span<float> array = typed_array<float>(value, name);
    data = reinterpret_cast<uint8_t*>(array.data());
    bytes = array.size_bytes();
  }
  const size_t expected = vector_bytes(index.metric(), index.dim());
  if (bytes != expected) {
    const size_t unit = bits ? 1 : sizeof(float);
    throw Error("DIMENSION_MISMATCH", std::string(name) + ": expected a vector of " + std::to_string(expected / unit) +
                                          (bits ? " bytes" : " values") + ", got " + std::to_string(bytes / unit) + ".");
  }
  return {data, bytes};
}

void require_dim(const char* name, size_t got, size_t expected) {
  if (got == expected) return;
  throw Error("DIMENSION_MISMATCH", std::string(name) + ": expected vectors of " + std::to_string(expected) + " values, got " +
                                        std::to_string(got) + ".");
}

Quantization quantization(const Napi::Value& value) {
  const std::string name = string(value, "quantization");
  for (uint32_t q = 0; q < kQuantizations; ++q) {
    if (name == kQuantizationNames[q]) return static_cast<Quantization>(q);
  }
  wrong_argument("quantization", "\"none\", \"sq8\" or \"f16\"");
}

const char* quantization_name(Quantization quantization) { return kQuantizationNames[static_cast<uint32_t>(quantization)]; }

}  // namespace nigh::binding
