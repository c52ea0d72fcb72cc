// An HNSW index from and to the file of hnswlib.
//
// Import keeps the graph: levels, links and entry point stay, rows of links get the room that ours have. What hnswlib leaves out
// of reach (of many equal vectors it links each to its like only) is linked in. The graph is built anew where it cannot be kept:
// its lists are longer than ours can be, or elements are marked as deleted, which the others' links lead through.
//
// Export writes the graph as it is, except for twins, which hnswlib does not know: each becomes a node of its own. The node in
// front of the chain links to the first twin, each twin to the next, and to what the node links to. Where that node's row is
// full, the first twin takes the place of its last link; that one is then reached through the twin.
//
// Inner product: our layers are ordered by length, and our search carries its whole pool down through them, where hnswlib takes a
// single node along. So the links of the lowest upper layers, which join the long rows, are written on layer 0 as well.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "format/hnswlib_file.h"
#include "index/hnsw_index.h"
#include "index/hnsw_reachability.h"

namespace nigh {

namespace {

constexpr size_t kStep = 1024;  // elements between two looks at the task's control
constexpr size_t kFlattenedLayers = 2;
constexpr size_t kMaxM = 256;  // as check_hnsw_params
constexpr uint64_t kMaxEfConstruction = 100'000;

// m of ours whose rows have room for the lists of the file.
size_t m_for(const HnswlibHeader& header) {
  const size_t m = std::max<size_t>(2, header.max_m);
  return header.max_m0 <= hnsw_layer0_degree({.m = m}) ? m : std::max(m, (header.max_m0 + 1) / 2);
}

void require_vector(const std::string& path, std::span<const float> vector, size_t element, Metric metric) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * value;
  const auto wrong = [&](const char* code, const std::string& what) {
    throw Error(code, path + ": the vector of element " + std::to_string(element) + what);
  };
  if (!std::isfinite(squares)) wrong("NOT_FINITE", " holds NaN or an infinity.");
  if (metric != Metric::kCosine) return;
  if (squares == 0) wrong("ZERO_VECTOR", " has length 0, so it has no direction.");
  // hnswlib stores unit vectors for cosine, with the rounding of float32.
  if (std::fabs(squares - 1) > 1e-2) {
    wrong("INVALID_ARGUMENT", ": expected length 1, as hnswlib stores vectors for cosine, got " +
                                  std::to_string(std::sqrt(squares)) + "; the file is of another metric.");
  }
}

uint32_t id_of(const std::string& path, const HnswlibReader::Element& element, size_t slot) {
  if (element.label < kNoId) return static_cast<uint32_t>(element.label);
  throw Error("UNSUPPORTED", path + ": element " + std::to_string(slot) + " has the label " + std::to_string(element.label) +
                                 "; ids here are at most 4294967294.");
}

void require_products(Metric metric) {
  if (!on_products(metric)) throw Error("UNSUPPORTED", "hnswlib's files are of l2, ip or cosine only.");
}

void copy_links(std::span<const uint32_t> links, uint32_t* row, size_t degree) {
  std::copy(links.begin(), links.end(), row);
  std::fill(row + links.size(), row + degree, kNoSlot);
}

}  // namespace

std::unique_ptr<HnswIndex> HnswIndex::import_hnswlib(const std::string& path, Metric metric, size_t dim, bool rebuild,
                                                     const HnswParams& settings, size_t max_lanes, TaskControl& control) {
  require_products(metric);
  HnswlibReader reader(path);
  const HnswlibHeader& header = reader.header();
  if (dim != 0 && header.dim != dim) {
    throw Error("DIMENSION_MISMATCH",
                path + ": expected vectors of " + std::to_string(dim) + " values, got " + std::to_string(header.dim) + ".");
  }
  if (header.dim > kMaxDim) {
    throw Error("UNSUPPORTED", path + ": vectors of " + std::to_string(header.dim) + " values; an index here holds at most " +
                                   std::to_string(kMaxDim) + ".");
  }
  if (header.count > kMaxHnswRows)
    throw Error("CAPACITY", "An index holds at most " + std::to_string(kMaxHnswRows) + " vectors.");
  HnswParams params = settings;
  params.m = std::min(m_for(header), kMaxM);
  params.ef_construction = std::clamp<uint64_t>(header.ef_construction, 1, kMaxEfConstruction);
  check_hnsw_params(params);
  bool keep = !rebuild && params.m == m_for(header) && header.max_level <= static_cast<int32_t>(HnswGraph::kMaxLevel);

  const auto count = static_cast<uint32_t>(header.count);
  std::unique_ptr<HnswIndex> index(new HnswIndex(metric, header.dim, params, false));
  HnswState& state = *index->current_.state;
  HnswGraph& graph = state.graph;
  state.store = state.store.grown(count);
  if (keep) graph.links0 = Buffer<uint32_t>(count * graph.degree0);
  control.set_total(count);

  std::vector<uint32_t> ids(count);
  std::vector<uint8_t> deleted(count, 0);
  bool dense = true;
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (slot % kStep == 0) control.check();
    const HnswlibReader::Element element = reader.next_element();
    require_vector(path, element.vector, slot, metric);
    ids[slot] = id_of(path, element, slot);
    deleted[slot] = element.deleted;
    dense &= ids[slot] == slot;
    keep &= !element.deleted;
    state.store.put(slot, element.vector.data(), ids[slot], slot);
    if (keep) copy_links(element.links, graph.links0.data() + slot * graph.degree0, graph.degree0);
  }
  require_distinct_ids(ids.data(), count);

  graph.levels = Buffer<uint8_t>(count);
  graph.upper_rows = Buffer<uint32_t>(count);
  std::vector<uint32_t> upper;
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (slot % kStep == 0) control.check();
    const size_t top = reader.next_level();
    graph.levels[slot] = static_cast<uint8_t>(top);
    graph.upper_rows[slot] = static_cast<uint32_t>(upper.size() / params.m);
    for (size_t level = 1; level <= top; ++level) {
      const std::span<const uint32_t> links = reader.next_links(level);
      if (!keep) continue;
      upper.resize(upper.size() + params.m);
      copy_links(links, upper.data() + upper.size() - params.m, params.m);
    }
  }
  reader.finish();

  if (!keep) {
    std::vector<float> rows;
    size_t live = 0;
    for (uint32_t slot = 0; slot < count; ++slot) {
      if (deleted[slot]) continue;
      const float* row = state.store.row(slot);
      rows.insert(rows.end(), row, row + header.dim);
      ids[live++] = ids[slot];
    }
    index.reset();
    params.m = std::clamp<size_t>(header.max_m, 2, kMaxM);
    return build({rows.data(), live, header.dim}, ids.data(), metric, params, max_lanes, control);
  }

  graph.upper = Buffer<uint32_t>(upper.size());
  if (!upper.empty()) std::memcpy(graph.upper.data(), upper.data(), upper.size() * sizeof(uint32_t));
  graph.twins = Buffer<uint32_t>(count);
  std::fill_n(graph.twins.data(), count, kNoSlot);
  graph.prepare_for_changes(count, count, {});
  if (count != 0) state.entry = EntryPoint{header.entry, static_cast<uint32_t>(header.max_level)}.packed();
  std::vector<uint32_t> doubts;
  reconnect_unreachable(graph, header.entry, count, doubts);
  state.slots = std::make_unique<SlotMap>(state.store.ids, count, dense);
  state.upper_rows_used = upper.size() / params.m;
  state.changeable = false;  // until its links were checked on every layer
  index->current_.count = count;
  control.advance(count);
  return index;
}

void HnswIndex::export_hnswlib(const std::string& path, TaskControl& control) const {
  require_products(metric_);
  // Changes wait until the file is written, so that what is written is one moment of the index.
  const std::lock_guard write_lock(write_mutex_);
  const HnswSnapshot now = without_removed();
  require_sound(now);  // every link is followed here
  const auto& state = now.state;
  const HnswGraph& graph = state->graph;
  const uint32_t count = now.count;
  const EntryPoint entry = EntryPoint::unpack(state->entry.load());

  // In front of every twin, the node that the chain hangs behind.
  std::vector<uint32_t> front(count, kNoSlot);
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (graph.levels[slot] == HnswGraph::kTwin) continue;
    for (uint32_t twin = graph.twins[slot]; twin < count && front[twin] == kNoSlot; twin = graph.twins[twin]) front[twin] = slot;
  }

  const size_t flattened = metric_ == Metric::kIp ? std::min<size_t>(entry.level, kFlattenedLayers) : 0;
  HnswlibHeader header;
  header.max_elements = std::max<uint64_t>(count, 1);
  header.count = count;
  header.dim = dim_;
  if (count != 0) {
    header.max_level = static_cast<int32_t>(entry.level);
    header.entry = entry.slot;
  }
  header.max_m = graph.m;
  header.max_m0 = graph.degree0 + flattened * graph.m;
  header.ef_construction = params_.ef_construction;
  HnswlibWriter writer(path, header);
  control.set_total(count);

  std::vector<uint32_t> links;
  const auto collect = [&](uint32_t slot, size_t level) {
    const uint32_t* row = graph.row(slot, level);
    links.clear();
    for (size_t i = 0; i < graph.degree(level) && row[i] != kNoSlot; ++i) {
      if (row[i] < count) links.push_back(row[i]);
    }
  };
  const auto append_new = [&](uint32_t slot, size_t level) {
    const uint32_t* row = graph.row(slot, level);
    for (size_t i = 0; i < graph.degree(level) && row[i] != kNoSlot; ++i) {
      if (row[i] < count && std::find(links.begin(), links.end(), row[i]) == links.end()) links.push_back(row[i]);
    }
  };
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (slot % kStep == 0) control.check();
    const uint32_t next = graph.twins[slot];
    if (graph.levels[slot] == HnswGraph::kTwin) {
      links.clear();
      if (front[slot] != kNoSlot) collect(front[slot], 0);
      // The one whose place a twin may have taken comes first, so that it is never the one left out.
      links.push_back(front[slot] == kNoSlot ? entry.slot : front[slot]);
      std::reverse(links.begin(), links.end());
      if (next < count) links.insert(links.begin(), next);
      links.resize(std::min(links.size(), graph.degree0));
    } else {
      collect(slot, 0);
      if (next < count) {
        if (links.size() == graph.degree0) links.pop_back();
        links.push_back(next);
      }
      for (size_t level = 1; level <= std::min<size_t>(flattened, graph.levels[slot]); ++level) append_new(slot, level);
    }
    writer.element(links, state->store.row(slot), state->store.ids[slot]);
  }
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (slot % kStep == 0) control.check();
    const size_t top = graph.levels[slot] == HnswGraph::kTwin ? 0 : graph.levels[slot];
    writer.level(top);
    for (size_t level = 1; level <= top; ++level) {
      collect(slot, level);
      writer.links(links);
    }
  }
  control.check();
  writer.commit();
  control.advance(count);
}

}  // namespace nigh
