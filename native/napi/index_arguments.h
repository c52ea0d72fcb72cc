// The arguments that several methods of NativeIndex share.
#pragma once

#include <napi.h>

#include <cstddef>
#include <span>

#include "index/row_store.h"
#include "index/vector_index.h"

namespace nigh::binding {

/// One Float64Array: k, efSearch, refineFactor, exact (0 or 1), recall (0: efSearch decides), within. The caller keeps the filter
/// alive. Throws INVALID_ARGUMENT.
SearchParams search_params(const Napi::Value& settings, const IdSet* filter);

/// Three arguments: data, rows, dim, where data holds what the metric is about. Throws INVALID_ARGUMENT unless it is exactly
/// rows × dim values in a Float32Array, or rows × ceil(dim / 8) bytes in a Uint8Array.
VectorsView vectors(const Napi::Value& data, const Napi::Value& rows, const Napi::Value& dim, Metric metric, const char* name);

/// The bytes of one vector of an index: a Float32Array, or a Uint8Array of bits. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH.
std::span<uint8_t> one_vector(const Napi::Value& value, const VectorIndex& index, const char* name);

/// Throws DIMENSION_MISMATCH.
void require_dim(const char* name, size_t got, size_t expected);

/// "none", "sq8" or "f16". Throws INVALID_ARGUMENT.
Quantization quantization(const Napi::Value& value);
const char* quantization_name(Quantization quantization);

}  // namespace nigh::binding
