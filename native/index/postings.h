// The entries of sparse rows by column: posting lists, each with the rows that have an entry there, ascending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/csr_transpose.h"

namespace nigh {

class Postings {
 public:
  /// Takes as much memory as the entries, however many columns there could be. `rows` holds what CsrView promises.
  explicit Postings(const CsrView& rows);

  struct List {
    uint32_t begin = 0;
    uint32_t end = 0;
  };
  /// Where the list of a column is in slots() and values().
  List list(uint32_t column) const;

  const uint32_t* slots() const { return lists_.columns.data(); }
  const float* values() const { return lists_.values.data(); }

  size_t memory_bytes() const;

 private:
  bool every_column_ = false;      // has a list, if only an empty one
  std::vector<uint32_t> columns_;  // otherwise: those that have one, ascending
  OwnedCsr lists_;
};

}  // namespace nigh
