// The arguments that several methods of NativeIndex share.
#pragma once

#include <napi.h>

#include <cstddef>

#include "index/row_store.h"
#include "index/vector_index.h"

namespace nigh::binding {

/// One Float64Array: k, efSearch, refineFactor, exact (0 or 1), recall (0: efSearch decides), within. The caller keeps the filter
/// alive. What exceeds `size`, the number of vectors, is cut down to it. Throws INVALID_ARGUMENT.
SearchParams search_params(const Napi::Value& settings, const IdSet* filter, size_t size);

/// Throws DIMENSION_MISMATCH.
void require_dim(const char* name, size_t got, size_t expected);

/// "none" or "sq8". Throws INVALID_ARGUMENT.
Quantization quantization(const Napi::Value& value);
const char* quantization_name(Quantization quantization);

}  // namespace nigh::binding
