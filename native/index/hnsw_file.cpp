// An HNSW index as one file: its sections written, and checked before they are used. FORMAT.md has the tables.
#include <cstring>

#include "index/hnsw_index.h"

namespace nigh {

namespace {

// The "params" section, little-endian; FORMAT.md has the same table.
struct RawParams {
  uint32_t m;
  uint32_t degree0;
  uint32_t ef_construction;
  uint32_t quantization;
  uint64_t seed;
  uint64_t entry;
  float alpha;
  float reserved0;
  uint64_t upper_rows;
  uint32_t dense_ids;
  uint32_t reserved1;
};
static_assert(sizeof(RawParams) == 56);

constexpr uint32_t kVersionOfTermsApart = 2;

}  // namespace

HnswSnapshot HnswIndex::without_removed() const {
  HnswSnapshot now = snapshot();
  if (now.removed == 0) return now;
  return live_copy(now, now.live(), live_upper_rows(now), 0);
}

void HnswIndex::save(const std::string& path) const {
  // Changes wait until the file is written, so that what is saved is one moment of the index. Removed rows are left out.
  const std::lock_guard write_lock(write_mutex_);
  const HnswSnapshot now = without_removed();
  const auto& state = now.state;
  const size_t count = now.count;
  const RawParams raw{static_cast<uint32_t>(params_.m),
                      static_cast<uint32_t>(state->graph.degree0),
                      static_cast<uint32_t>(params_.ef_construction),
                      static_cast<uint32_t>(params_.quantization),
                      params_.seed,
                      state->entry.load(),
                      params_.alpha,
                      0,
                      state->upper_rows_used,
                      state->slots->dense() ? 1u : 0u,
                      0};
  IndexFileWriter writer(IndexKind::kHnsw, metric_, static_cast<uint32_t>(dim_), count,
                         state->store.terms_apart ? kVersionOfTermsApart : kFirstVersion);
  writer.add("params", &raw, sizeof raw);
  writer.add("links0", state->graph.links0.data(), count * state->graph.degree0 * sizeof(uint32_t));
  writer.add("codes", state->store.codes.data(), count * state->store.code_stride);
  if (state->store.terms_apart) {
    writer.add("terms", state->store.terms.data(), count * state->store.terms_per_row() * sizeof(float));
  }
  writer.add("ids", state->store.ids.data(), count * sizeof(uint32_t));
  writer.add("levels", state->graph.levels.data(), count);
  writer.add("upperrow", state->graph.upper_rows.data(), count * sizeof(uint32_t));
  writer.add("upper", state->graph.upper.data(), state->upper_rows_used * params_.m * sizeof(uint32_t));
  writer.add("twins", state->graph.twins.data(), count * sizeof(uint32_t));
  writer.add("rows", state->store.rows.data(), count * state->store.row_bytes);
  const auto table = recall_table();
  if (table) writer.add("recall", table.get(), sizeof *table);
  writer.write(path);
}

std::unique_ptr<HnswIndex> HnswIndex::open(const IndexFile& file) {
  const IndexHeader& header = file.header();
  const auto wrong = [&](const char* what) { return Error("FORMAT", file.path() + ": " + what); };
  RawParams raw;
  std::memcpy(&raw, file.section<uint8_t>("params", sizeof raw).data(), sizeof raw);
  HnswParams params{raw.m, raw.ef_construction, raw.alpha, raw.seed, static_cast<Quantization>(raw.quantization)};
  if (raw.quantization >= kQuantizations) throw wrong("unknown quantization.");
  try {
    check_hnsw_params(params);
    require_quantizable(header.metric, params.quantization);
  } catch (const Error& error) {
    throw wrong(error.what());
  }
  if (raw.degree0 != hnsw_layer0_degree(params)) throw wrong("the degree of layer 0 contradicts M.");
  if (header.count > kMaxHnswRows || raw.upper_rows > header.count * HnswGraph::kMaxLevel)
    throw wrong("a count is out of range.");

  const auto count = static_cast<size_t>(header.count);
  std::unique_ptr<HnswIndex> index(new HnswIndex(header.metric, header.dim, params, file.mode() == OpenMode::kMap));
  HnswState& state = *index->current_.state;
  if (header.version < kVersionOfTermsApart) state.store.keep_terms_in_rows();
  state.store.rows = file.section<uint8_t>("rows", count * state.store.row_bytes);
  state.store.codes = file.section<uint8_t>("codes", count * state.store.code_stride);
  if (state.store.terms_apart) state.store.terms = file.section<float>("terms", count * state.store.terms_per_row());
  state.store.ids = file.section<uint32_t>("ids", count);
  state.graph.links0 = file.section<uint32_t>("links0", count * state.graph.degree0);
  state.graph.levels = file.section<uint8_t>("levels", count);
  state.graph.upper_rows = file.section<uint32_t>("upperrow", count);
  state.graph.twins = file.section<uint32_t>("twins", count);
  state.graph.upper = file.section<uint32_t>("upper", raw.upper_rows * params.m);
  state.upper_rows_used = raw.upper_rows;
  bool dense = raw.dense_ids != 0;
  if (file.mode() == OpenMode::kMemory) {
    try {
      state.store.require_sound();
    } catch (const Error& error) {
      throw wrong(error.what());
    }
    for (size_t slot = 0; slot < count; ++slot) dense = dense && state.store.ids[slot] == slot;
  }
  state.slots = std::make_unique<SlotMap>(state.store.ids, count, dense);
  state.changeable = false;
  index->current_.count = static_cast<uint32_t>(count);
  state.entry = raw.entry;

  if (file.has("recall")) {
    auto table = std::make_shared<RecallTable>();
    std::memcpy(static_cast<void*>(table.get()), file.section<uint8_t>("recall", sizeof *table).data(), sizeof *table);
    if (!table->valid()) throw wrong("the recall table is out of range.");
    index->recall_table_ = std::move(table);
  }

  const EntryPoint entry = EntryPoint::unpack(raw.entry);
  const bool valid_entry = count == 0 ? entry.slot == kNoSlot
                                      : entry.slot < count && entry.level <= HnswGraph::kMaxLevel &&
                                            !state.graph.is_twin(entry.slot) && state.graph.has_row(entry.slot, entry.level);
  if (!valid_entry) throw wrong("the entry point is out of range.");
  return index;
}

}  // namespace nigh
