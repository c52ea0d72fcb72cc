#include "index/row_store.h"

#include <algorithm>
#include <cmath>

#include "index/vector_index.h"
#include "quant/sq8.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

// 0 for the zero vector, which has no direction: it is then as far as a right angle from everything.
float inverse_length(const float* vector, size_t dim) {
  double sum = 0;
  for (size_t i = 0; i < dim; ++i) sum += static_cast<double>(vector[i]) * vector[i];
  return sum > 0 ? static_cast<float>(1.0 / std::sqrt(sum)) : 0.0f;
}

}  // namespace

RowStore RowStore::create(Metric metric, Quantization quantization, size_t dim) {
  RowStore store;
  store.metric = metric;
  store.quantization = quantization;
  store.dim = dim;
  store.row_dim = metric == Metric::kIp ? dim + 1 : dim;
  store.code_stride = quantization == Quantization::kSq8 ? sq8_stride(dim) : 0;
  return store;
}

RowStore RowStore::grown(size_t capacity) const {
  RowStore out = *this;
  out.rows = rows.grown(capacity * row_dim);
  out.codes = codes.grown(capacity * code_stride);
  out.ids = ids.grown(capacity);
  return out;
}

RowStore RowStore::emptied(size_t capacity) const {
  RowStore out = *this;
  out.rows = Buffer<float>(capacity * row_dim);
  out.codes = Buffer<uint8_t>(capacity * code_stride);
  out.ids = Buffer<uint32_t>(capacity);
  return out;
}

void RowStore::copy_row(const RowStore& from, uint32_t from_slot, uint32_t slot) const {
  std::copy_n(from.row(from_slot), row_dim, rows.data() + slot * row_dim);
  std::copy_n(from.codes.data() + from_slot * code_stride, code_stride, codes.data() + slot * code_stride);
  ids[slot] = from.ids[from_slot];
}

bool RowStore::holds(uint32_t slot, const float* vector, size_t position, std::vector<float>& scratch) const {
  if (metric != Metric::kCosine) return std::equal(vector, vector + dim, row(slot));
  scratch.resize(dim);
  normalize_row(vector, dim, scratch.data(), position);
  return std::equal(scratch.begin(), scratch.end(), row(slot));
}

void RowStore::put(uint32_t slot, const float* vector, uint32_t id, size_t position) const {
  float* row = rows.data() + slot * row_dim;
  switch (metric) {
    case Metric::kL2:
      std::copy_n(vector, dim, row);
      break;
    case Metric::kCosine:
      normalize_row(vector, dim, row, position);
      break;
    case Metric::kIp:
      std::copy_n(vector, dim, row);
      row[dim] = inverse_length(vector, dim);
      break;
  }
  if (quantization == Quantization::kSq8) sq8_encode(row, dim, metric, codes.data() + slot * code_stride, code_stride);
  ids[slot] = id;
}

void RowStore::prepare_query(const float* query, std::vector<float>& out) const {
  out.resize(dim);
  if (metric == Metric::kCosine) {
    normalize_row(query, dim, out.data(), 0);
  } else {
    std::copy_n(query, dim, out.data());
  }
}

namespace {

void to_distances(Metric metric, size_t count, float* out) {
  if (metric == Metric::kIp) {
    for (size_t j = 0; j < count; ++j) out[j] = -out[j];
  } else if (metric == Metric::kCosine) {
    for (size_t j = 0; j < count; ++j) out[j] = 1.0f - out[j];
  }
}

}  // namespace

void RowStore::distances(const float* prepared, const uint32_t* slots, size_t count, float* out) const {
  const auto gather = metric == Metric::kL2 ? kernels().l2_gather : kernels().dot_gather;
  gather(prepared, rows.data(), row_dim, slots, count, dim, out);
  to_distances(metric, count, out);
}

void RowStore::distances_range(const float* prepared, size_t begin, size_t count, float* out) const {
  const auto scan = metric == Metric::kL2 ? kernels().l2_scan : kernels().dot_scan;
  scan(prepared, rows.data() + begin * row_dim, row_dim, count, dim, out);
  to_distances(metric, count, out);
}

size_t RowStore::memory_bytes() const { return rows.size() * sizeof(float) + codes.size() + ids.size() * sizeof(uint32_t); }

}  // namespace nigh
