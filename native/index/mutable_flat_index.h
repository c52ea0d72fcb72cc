// A flat index that changes while it is searched: every change makes a new flat index and puts it in the place of the old one, so
// a search has one of them from beginning to end. They share the rows while there is room: new ones are written behind those that
// anybody sees, removed ones keep the number of the change that removed them (liveness.h). A copy with half as much room again,
// or without the removed rows when they are a third, is made seldom enough that many small changes are linear in all.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "index/flat_index.h"
#include "index/mutable_index.h"

namespace nigh {

class MutableFlatIndex final : public MutableIndex {
 public:
  MutableFlatIndex(std::unique_ptr<FlatIndex> index, bool read_only) : read_only_(read_only), current_(std::move(index)) {}

  void add(VectorsView rows, const uint32_t* ids, size_t max_lanes, TaskControl& control) override;
  void replace(VectorsView rows, const uint32_t* ids, bool add_missing, size_t max_lanes, TaskControl& control) override;
  size_t remove(std::span<const uint32_t> ids, bool ignore_missing, size_t max_lanes, TaskControl& control) override;
  void compact(size_t max_lanes, TaskControl& control) override;
  /// Every row is compared by every search, so all that can be wrong is what is stored: a row that is not finite, or an id that
  /// leads to another row, is counted as not found. There is nothing to repair.
  VerifyReport verify(bool repair, size_t ef_search, size_t max_lanes, TaskControl& control) override;
  bool read_only() const override { return read_only_; }

  const char* kind() const override { return "flat"; }
  Metric metric() const override { return snapshot()->metric(); }
  size_t dim() const override { return snapshot()->dim(); }
  size_t size() const override { return snapshot()->size(); }
  size_t memory_bytes() const override { return snapshot()->memory_bytes(); }
  std::vector<Neighbor> search(const void* query, const SearchParams& params, SearchStats& stats) const override {
    return snapshot()->search(query, params, stats);
  }
  void search_batch(VectorsView queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                    uint32_t* counts, SearchStats& stats, TaskControl& control) const override {
    snapshot()->search_batch(queries, params, max_lanes, ids, distances, counts, stats, control);
  }
  bool vector(uint32_t id, void* out) const override { return snapshot()->vector(id, out); }
  void save(const std::string& path) const override;

 private:
  enum class Existing { kRefuse, kRequire, kAllow };

  std::shared_ptr<const FlatIndex> snapshot() const;
  void publish(std::shared_ptr<const FlatIndex> next);
  void require_changeable() const;
  void put(VectorsView rows, const uint32_t* ids, Existing existing, size_t max_lanes, TaskControl& control);

  bool read_only_;                  // mapped from a file
  mutable std::mutex write_mutex_;  // held by every change, and by save
  mutable std::mutex mutex_;        // held for as long as it takes to copy a pointer
  std::shared_ptr<const FlatIndex> current_;
};

}  // namespace nigh
