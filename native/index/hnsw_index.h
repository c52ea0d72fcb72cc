// placeholder: written beside hnsw_builder and hnsw_search
#pragma once

#include <memory>
#include <string>

#include "format/index_file.h"
#include "index/vector_index.h"

namespace nigh {

struct HnswParams {
  size_t m = 16;                 // links of a node on the upper layers; layer 0 has 2m
  size_t ef_construction = 200;  // pool size while a node looks for its neighbours
  uint64_t seed = 42;            // levels; the same seed on one thread gives the same bytes
};

class HnswIndex final : public VectorIndex {
 public:
  static std::unique_ptr<HnswIndex> build(MatrixView<const float> rows, const uint32_t* ids, Metric metric,
                                          const HnswParams& params, size_t max_lanes, TaskControl& control);
  static std::unique_ptr<HnswIndex> open(const IndexFile& file);

  /// Adds rows on all cores. Unknown to the index until it returns; searches may run meanwhile.
  void add(MatrixView<const float> rows, const uint32_t* ids, size_t max_lanes, TaskControl& control);
};

}  // namespace nigh
