// An HNSW graph over a row store that changes while it is searched: searches run on a snapshot and never wait for a writer.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "format/index_file.h"
#include "index/hnsw_builder.h"
#include "index/hnsw_state.h"
#include "index/hnsw_walk.h"
#include "index/mutable_index.h"
#include "index/recall_table.h"
#include "index/search_pool.h"

namespace nigh {

struct SearchScratch;
struct WalkBudget;

/// As many as fit beside the flags of a candidate.
inline constexpr size_t kMaxHnswRows = SearchPool::kSlotMask;

/// Throws INVALID_ARGUMENT.
void check_hnsw_params(const HnswParams& params);

/// Degree of layer 0: twice that of the others, and a whole number of cache lines.
inline size_t hnsw_layer0_degree(const HnswParams& params) { return (2 * params.m + 15) / 16 * 16; }

class HnswIndex final : public MutableIndex {
 public:
  ~HnswIndex() override;

  /// Builds on up to `max_lanes` threads. `ids` has rows.rows entries or is null for 0 … n − 1. With one lane the same input and
  /// seed give the same bytes. `control` counts inserted rows. With `questions` recall is measured by these (dim of the rows)
  /// instead of by held-out rows. Throws what require_* throw, OUT_OF_MEMORY, ABORTED.
  static std::unique_ptr<HnswIndex> build(VectorsView rows, const uint32_t* ids, Metric metric, const HnswParams& params,
                                          size_t max_lanes, TaskControl& control, VectorsView questions = {nullptr, 0, 0});
  static std::unique_ptr<HnswIndex> open(const IndexFile& file);

  /// Reads a file of hnswlib (format/hnswlib_file.h); labels become ids. `dim` is what the caller expects, 0 for any. The graph
  /// is kept unless `rebuild` says otherwise or it cannot be (hnsw_interchange.cpp); deleted elements are left out. alpha, seed
  /// and quantization come from `settings`, the rest from the file. `control` counts elements. Throws what HnswlibReader throws,
  /// DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, DUPLICATE_ID, UNSUPPORTED (a label that is no id), INVALID_ARGUMENT (a length
  /// that contradicts cosine), CAPACITY, ABORTED.
  static std::unique_ptr<HnswIndex> import_hnswlib(const std::string& path, Metric metric, size_t dim, bool rebuild,
                                                   const HnswParams& settings, size_t max_lanes, TaskControl& control);

  /// Writes a file that hnswlib opens, atomically; ids become labels. Changes wait. Throws IO, ABORTED.
  void export_hnswlib(const std::string& path, TaskControl& control) const;

  void add(VectorsView rows, const uint32_t* ids, size_t max_lanes, TaskControl& control) override;
  void replace(VectorsView rows, const uint32_t* ids, bool add_missing, size_t max_lanes, TaskControl& control) override;
  size_t remove(std::span<const uint32_t> ids, bool ignore_missing, size_t max_lanes, TaskControl& control) override;
  void compact(size_t max_lanes, TaskControl& control) override;
  VerifyReport verify(bool repair, size_t ef_search, size_t max_lanes, TaskControl& control) override;
  bool read_only() const override { return read_only_; }

  const HnswParams& params() const { return params_; }

  const char* kind() const override { return "hnsw"; }
  Metric metric() const override { return metric_; }
  size_t dim() const override { return dim_; }
  size_t size() const override;
  size_t memory_bytes() const override;

  std::vector<Neighbor> search(const void* query, const SearchParams& params, SearchStats& stats) const override;
  void search_batch(VectorsView queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                    uint32_t* counts, SearchStats& stats, TaskControl& control) const override;
  bool vector(uint32_t id, void* out) const override;
  void save(const std::string& path) const override;

 private:
  // A set of rows to store, and what the index knows about them.
  struct Intake {
    VectorsView rows;
    const uint32_t* ids = nullptr;  // null: numbered from the first slot on
    uint32_t first_id = 0;
    std::vector<uint32_t> chosen;  // which of the rows

    uint32_t id(size_t row) const { return ids == nullptr ? first_id + static_cast<uint32_t>(row) : ids[row]; }
  };
  enum class Existing { kRefuse, kRequire, kAllow };

  HnswIndex(Metric metric, size_t dim, const HnswParams& params, bool read_only);

  HnswSnapshot snapshot() const;
  HnswSnapshot without_removed() const;  // the same as a file holds it; for the holder of write_mutex_
  void publish(HnswSnapshot next);

  void require_changeable() const;
  static void require_sound(const HnswSnapshot& now);
  void put(VectorsView rows, const uint32_t* ids, Existing existing, size_t max_lanes, TaskControl& control,
           VectorsView questions = {nullptr, 0, 0});
  Intake choose_rows(const HnswSnapshot& now, VectorsView rows, const uint32_t* ids, Existing existing) const;
  std::vector<uint8_t> levels_for(const HnswSnapshot& now, const Intake& intake);
  HnswSnapshot with_room(const HnswSnapshot& now, size_t rows, size_t upper_rows, size_t max_lanes);
  HnswSnapshot live_copy(const HnswSnapshot& now, size_t capacity, size_t upper_capacity, size_t max_lanes) const;
  HnswSnapshot compact_copy(const HnswSnapshot& now, size_t capacity, size_t upper_capacity, size_t max_lanes);
  void make_found(HnswState& state, uint32_t count, bool all, bool any_gone, size_t max_lanes, const TaskControl& control,
                  LinkWorkspace& workspace) const;
  void mend(const HnswSnapshot& now, size_t max_lanes);
  bool others_search(const HnswSnapshot& now) const;
  void mark_removed(HnswSnapshot& next, const std::vector<uint32_t>& slots);
  void settle(const std::vector<uint32_t>& removed, size_t max_lanes);
  std::vector<uint32_t> not_found(const HnswSnapshot& now, const std::vector<uint32_t>& slots, size_t ef_search, size_t max_lanes,
                                  const TaskControl& control) const;

  std::vector<Neighbor> answer(const HnswSnapshot& now, const void* prepared, const SearchParams& params,
                               SearchStats& stats) const;
  // What `ef_search` or `recall` come to.
  struct Effort {
    WalkSize size;
    size_t expansions = 0;       // that a walk without a filter takes, about
    std::optional<float> slack;  // where the walk ends early: see hnsw_stop.h
    bool known = true;           // false where a recall is wanted and none was measured
  };
  struct Walked {
    std::vector<Neighbor> found;
    bool complete = false;  // not cut short because fewer than k were met
  };
  Effort effort_of(const SearchParams& params) const;
  std::shared_ptr<const RecallTable> recall_table() const;
  /// How many rows the filter allows; an estimate where ids are scattered.
  size_t matching_rows(const HnswSnapshot& now, const IdSet& filter) const;
  /// The share of allowed rows among those that a walk for this query would meet first; `closely`: last.
  double share_around_query(const HnswSnapshot& now, const void* prepared, const IdSet& filter, bool closely,
                            SearchStats& stats) const;
  std::vector<uint32_t> allowed_slots(const HnswSnapshot& now, const IdSet& filter) const;
  template <class Scorer>
  Walked walk(const HnswSnapshot& now, const void* prepared, const SearchParams& params, Plan plan, const Effort& effort,
              WalkBudget& budget, SearchScratch& scratch) const;
  Walked collect(const HnswSnapshot& now, const void* prepared, const SearchParams& params, SearchScratch& scratch) const;
  std::shared_ptr<const RecallTable> link_and_measure(const HnswSnapshot& now, uint32_t end, VectorsView questions,
                                                      size_t max_lanes, TaskControl& control);
  /// Recall by effort, measured with these questions among `linked` of the rows, the `present` ones (null: all).
  RecallTable calibrate(const HnswSnapshot& now, VectorsView questions, const IdSet* present, size_t linked, size_t max_lanes,
                        TaskControl& control) const;
  /// The same with rows that are stored and not linked yet.
  RecallTable calibrate_by_rows(const HnswSnapshot& now, const std::vector<uint32_t>& slots, size_t max_lanes,
                                TaskControl& control) const;

  std::unique_ptr<SearchScratch> take_scratch() const;
  void return_scratch(std::unique_ptr<SearchScratch> scratch) const;

  Metric metric_;
  size_t dim_;
  HnswParams params_;

  bool read_only_;  // mapped from a file

  mutable std::mutex write_mutex_;  // held by every change, and by save; guards the next four
  std::vector<float> thresholds_;   // lengths that separate the layers (ip)
  size_t thresholds_from_ = 0;      // number of rows they were taken from
  size_t unproved_changes_ = 0;     // rows added or removed since every node was last known to be found
  mutable LinkWorkspace workspace_;

  mutable std::mutex state_mutex_;  // held for as long as it takes to copy a snapshot
  HnswSnapshot current_;
  std::shared_ptr<const RecallTable> recall_table_;  // null where nothing was measured

  mutable std::mutex scratch_mutex_;
  mutable std::vector<std::unique_ptr<SearchScratch>> scratches_;
};

}  // namespace nigh
