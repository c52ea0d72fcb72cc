#include "train/sparse_product.h"

#include <algorithm>
#include <vector>

#include "base/thread_pool.h"
#include "train/gathered_rows.h"
#include "train/row_chunks.h"

namespace nigh {

void sparse_product(const CsrView& sparse, MatrixView<const float> dense, float scale, size_t max_lanes, float* out,
                    const TaskControl& control) {
  const std::vector<size_t> chunks = row_chunks(sparse, 2, 4096);
  ThreadPool::shared().parallel_for(chunks.size() - 1, 1, max_lanes, [&](size_t begin, size_t end, size_t) {
    for (size_t chunk = begin; chunk < end; ++chunk) {
      control.check();
      for (size_t row = chunks[chunk]; row < chunks[chunk + 1]; ++row) {
        const size_t first = sparse.offsets[row];
        float* target = out + row * dense.dim;
        std::fill(target, target + dense.dim, 0.0f);
        add_gathered(sparse.values.data() + first, dense.data, sparse.columns.data() + first, sparse.offsets[row + 1] - first,
                     dense.dim, target);
        if (scale == 1) continue;
        for (size_t k = 0; k < dense.dim; ++k) target[k] *= scale;
      }
    }
  });
}

}  // namespace nigh
