// The one list of scorers: which of them reads the vectors of a store.
#pragma once

#include "index/row_store.h"
#include "quant/bits.h"
#include "quant/f16.h"
#include "quant/f32.h"
#include "quant/sq8.h"

namespace nigh {

/// Calls use.operator()<Scorer>() with the scorer that the traversal of this store takes, and gives what it gives.
template <class Use>
decltype(auto) with_scorer(const RowStore& store, const Use& use) {
  if (on_bits(store.metric)) return use.template operator()<BitScorer>();
  switch (store.quantization) {
    case Quantization::kSq8:
      return use.template operator()<Sq8Scorer>();
    case Quantization::kF16:
      return use.template operator()<F16Scorer>();
    case Quantization::kNone:
      break;
  }
  return use.template operator()<F32Scorer>();
}

}  // namespace nigh
