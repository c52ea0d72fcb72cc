#include "index/postings.h"

#include <algorithm>
#include <span>

namespace nigh {

namespace {

// With fewer columns than so many an entry, a table of all of them costs no more than the entries do.
constexpr size_t kColumnsAnEntry = 8;

std::vector<uint32_t> distinct(std::span<const uint32_t> columns) {
  std::vector<uint32_t> out(columns.begin(), columns.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  out.shrink_to_fit();
  return out;
}

}  // namespace

Postings::Postings(const CsrView& rows) : every_column_(rows.cols / kColumnsAnEntry <= rows.entries()) {
  if (every_column_) {
    lists_ = transpose(rows);
    return;
  }
  columns_ = distinct(rows.columns);
  std::vector<uint32_t> places(rows.entries());
  for (size_t entry = 0; entry < places.size(); ++entry) {
    const auto place = std::lower_bound(columns_.begin(), columns_.end(), rows.columns[entry]);
    places[entry] = static_cast<uint32_t>(place - columns_.begin());
  }
  lists_ = transpose({rows.offsets, places, rows.values, columns_.size()});
}

Postings::List Postings::list(uint32_t column) const {
  size_t place = column;
  if (!every_column_) {
    const auto at = std::lower_bound(columns_.begin(), columns_.end(), column);
    if (at == columns_.end() || *at != column) return {};
    place = static_cast<size_t>(at - columns_.begin());
  }
  return {lists_.offsets[place], lists_.offsets[place + 1]};
}

size_t Postings::memory_bytes() const {
  return (columns_.size() + lists_.offsets.size() + lists_.columns.size() + lists_.values.size()) * sizeof(uint32_t);
}

}  // namespace nigh
