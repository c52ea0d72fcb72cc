// What an index that can change adds to the contract of a vector index. Searches may run beside every change: they never wait,
// and see a change whole or not at all. Changes wait for each other. Each is all or nothing: when it throws, the index is as it
// was. All throw READ_ONLY for an index that is mapped from its file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/matrix_view.h"
#include "base/task_control.h"
#include "index/vector_index.h"

namespace nigh {

/// What verify() found. A row can count in several lines.
struct VerifyReport {
  size_t live = 0;         // rows
  size_t removed = 0;      // removed rows that still take place
  size_t dangling = 0;     // links that lead nowhere
  size_t unreachable = 0;  // rows that no path of links leads to
  size_t not_found = 0;    // rows that a search by their own vector did not give
  size_t repaired = 0;     // how many of these faults were repaired
};

class MutableIndex : public VectorIndex {
 public:
  /// Adds rows under new ids (null: numbered on). Throws DUPLICATE_ID, CAPACITY, DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR,
  /// INVALID_ARGUMENT (reserved id), OUT_OF_MEMORY, ABORTED.
  virtual void add(VectorsView rows, const uint32_t* ids, size_t max_lanes, TaskControl& control) = 0;

  /// Puts rows in the place of those that are stored under these ids; ids that are not there throw UNKNOWN_ID, or are added. A
  /// row that is stored already stays where it is. Throws what add() throws, DUPLICATE_ID for an id that is listed twice.
  virtual void replace(VectorsView rows, const uint32_t* ids, bool add_missing, size_t max_lanes, TaskControl& control) = 0;

  /// Removes ids and returns how many were there; one that is not throws UNKNOWN_ID unless it is to be ignored. An id that is
  /// listed twice counts once. Throws ABORTED.
  virtual size_t remove(std::span<const uint32_t> ids, bool ignore_missing, size_t max_lanes, TaskControl& control) = 0;

  /// Frees what removed rows still hold. Indexes do so by themselves when that is a large share. Throws OUT_OF_MEMORY, ABORTED.
  virtual void compact(size_t max_lanes, TaskControl& control) = 0;

  /// Checks that every row is found, by searches with a pool of `ef_search`, and makes it so with `repair`. Changes wait
  /// meanwhile. Only `repair` throws READ_ONLY. Throws ABORTED, and then has repaired some of it. Advances `control` to the rows.
  virtual VerifyReport verify(bool repair, size_t ef_search, size_t max_lanes, TaskControl& control) = 0;

  /// Whether changes throw READ_ONLY.
  virtual bool read_only() const = 0;
};

}  // namespace nigh
