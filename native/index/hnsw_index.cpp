#include "index/hnsw_index.h"

#include <algorithm>
#include <string>
#include <utility>

#include "index/hnsw_search.h"

namespace nigh {

void check_hnsw_params(const HnswParams& params) {
  if (params.m < 2 || params.m > SearchScratch::kMaxDegree / 2) {
    throw Error("INVALID_ARGUMENT", "M: expected 2 to 256, got " + std::to_string(params.m) + ".");
  }
  if (params.ef_construction < 1 || params.ef_construction > 100'000) {
    throw Error("INVALID_ARGUMENT", "efConstruction: expected 1 to 100,000, got " + std::to_string(params.ef_construction) + ".");
  }
  if (!(params.alpha >= 1.0f && params.alpha <= 2.0f)) {
    throw Error("INVALID_ARGUMENT", "alpha: expected 1 to 2, got " + std::to_string(params.alpha) + ".");
  }
}

HnswIndex::HnswIndex(Metric metric, size_t dim, const HnswParams& params, bool read_only)
    : metric_(metric), dim_(dim), params_(params), read_only_(read_only) {
  current_.state = std::make_shared<HnswState>();
  HnswState& state = *current_.state;
  state.store = RowStore::create(metric, params.quantization, dim);
  state.graph.m = params.m;
  state.graph.degree0 = hnsw_layer0_degree(params);
  state.slots = std::make_unique<SlotMap>(state.store.ids, 0, true);
  state.changeable = true;
}

HnswIndex::~HnswIndex() = default;

namespace {

// Before the hours of a build, not after them.
void check_questions(VectorsView questions, size_t dim, Metric metric) {
  if (questions.rows == 0) return;
  if (questions.dim != dim) {
    throw Error("DIMENSION_MISMATCH", "calibrationQueries: expected rows of " + std::to_string(dim) + " values, got " +
                                          std::to_string(questions.dim) + ".");
  }
  require_vectors(metric, questions, "calibrationQueries");
  std::vector<float> unit(dim);
  for (size_t r = 0; r < questions.rows && metric == Metric::kCosine; ++r)
    normalize_row(questions.float_row(r), dim, unit.data(), r);
}

}  // namespace

std::unique_ptr<HnswIndex> HnswIndex::build(VectorsView rows, const uint32_t* ids, Metric metric, const HnswParams& params,
                                            size_t max_lanes, TaskControl& control, VectorsView questions) {
  check_hnsw_params(params);
  require_quantizable(metric, params.quantization);
  require_storable_dim(rows.dim);
  require_vectors(metric, rows, "data");
  check_questions(questions, rows.dim, metric);
  std::unique_ptr<HnswIndex> index(new HnswIndex(metric, rows.dim, params, false));
  index->put(rows, ids, Existing::kRefuse, max_lanes, control, questions);
  return index;
}

HnswSnapshot HnswIndex::snapshot() const {
  const std::lock_guard lock(state_mutex_);
  return current_;
}

void HnswIndex::publish(HnswSnapshot next) {
  const std::lock_guard lock(state_mutex_);
  std::swap(current_, next);  // so that the old state, if nobody else holds it, is freed after the lock is
}

size_t HnswIndex::size() const { return snapshot().live(); }

std::shared_ptr<const RecallTable> HnswIndex::recall_table() const {
  const std::lock_guard lock(state_mutex_);
  return recall_table_;
}

size_t HnswIndex::memory_bytes() const {
  const HnswSnapshot now = snapshot();
  return now.state->store.memory_bytes() + now.state->graph.memory_bytes() + now.state->slots->memory_bytes();
}

bool HnswIndex::vector(uint32_t id, void* out) const {
  const HnswSnapshot now = snapshot();
  const uint32_t slot = now.live_slot(id);
  if (slot == SlotMap::kNone) return false;
  now.state->store.copy_vector(slot, out);
  return true;
}

std::unique_ptr<SearchScratch> HnswIndex::take_scratch() const {
  {
    const std::lock_guard lock(scratch_mutex_);
    if (!scratches_.empty()) {
      auto scratch = std::move(scratches_.back());
      scratches_.pop_back();
      return scratch;
    }
  }
  return std::make_unique<SearchScratch>();
}

void HnswIndex::return_scratch(std::unique_ptr<SearchScratch> scratch) const {
  const std::lock_guard lock(scratch_mutex_);
  scratches_.push_back(std::move(scratch));
}

}  // namespace nigh
