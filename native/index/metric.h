// What "close" means. Distances are smaller for closer, everywhere.
#pragma once

#include <cstdint>

namespace nigh {

enum class Metric : uint32_t {
  kL2 = 0,      // squared Euclidean
  kIp = 1,      // −dot
  kCosine = 2,  // 1 − cos; rows are stored at unit length, zero vectors are refused
};

}  // namespace nigh
