// Which kernel computes what a metric is made of. What a float32 kernel gives under ip and cosine is the product, not yet the
// distance.
#pragma once

#include "index/metric.h"
#include "simd/kernels.h"

namespace nigh {

inline GatherF32 f32_gather(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return kernels().l2_gather;
    case Metric::kL1:
      return kernels().l1_gather;
    case Metric::kChebyshev:
      return kernels().chebyshev_gather;
    default:
      return kernels().dot_gather;
  }
}

inline ScanF32 f32_scan(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return kernels().l2_scan;
    case Metric::kL1:
      return kernels().l1_scan;
    case Metric::kChebyshev:
      return kernels().chebyshev_scan;
    default:
      return kernels().dot_scan;
  }
}

inline GatherBits bit_gather(Metric metric) {
  return metric == Metric::kHamming ? kernels().bits->hamming_gather : kernels().bits->jaccard_gather;
}

inline ScanBits bit_scan(Metric metric) {
  return metric == Metric::kHamming ? kernels().bits->hamming_scan : kernels().bits->jaccard_scan;
}

}  // namespace nigh
