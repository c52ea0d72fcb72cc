#include "index/row_store.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "base/error.h"
#include "index/metric_kernels.h"
#include "index/vector_index.h"
#include "quant/f16.h"
#include "quant/sq8.h"

namespace nigh {

namespace {

// 0 for the zero vector, which has no direction: it is then as far as a right angle from everything.
float inverse_length(const float* vector, size_t dim) {
  double sum = 0;
  for (size_t i = 0; i < dim; ++i) sum += static_cast<double>(vector[i]) * vector[i];
  return sum > 0 ? static_cast<float>(1.0 / std::sqrt(sum)) : 0.0f;
}

size_t stored_bytes(Metric metric, size_t dim) {
  if (on_bits(metric)) return (dim + 63) / 64 * sizeof(uint64_t);
  return (metric == Metric::kIp ? dim + 1 : dim) * sizeof(float);
}

size_t stride_of_codes(Metric metric, Quantization quantization, size_t dim) {
  switch (quantization) {
    case Quantization::kNone:
      return 0;
    case Quantization::kSq8:
      return sq8_stride(dim, sq8_puts_terms_apart(dim));
    case Quantization::kF16:
      return f16_stride(metric, dim);
  }
  return 0;
}

void to_distances(Metric metric, size_t count, float* out) {
  if (metric == Metric::kIp) {
    for (size_t j = 0; j < count; ++j) out[j] = -out[j];
  } else if (metric == Metric::kCosine) {
    for (size_t j = 0; j < count; ++j) out[j] = 1.0f - out[j];
  }
}

}  // namespace

void require_quantizable(Metric metric, Quantization quantization) {
  if (quantization == Quantization::kNone) return;
  if (on_bits(metric)) {
    throw Error("INVALID_ARGUMENT", "quantization: expected \"none\" under hamming and jaccard, whose vectors are bits already.");
  }
  if (quantization == Quantization::kSq8 && !on_products(metric)) {
    throw Error(
        "INVALID_ARGUMENT",
        "quantization: expected \"none\" or \"f16\" under l1 and chebyshev, got \"sq8\", whose codes only give products.");
  }
}

RowStore RowStore::create(Metric metric, Quantization quantization, size_t dim) {
  RowStore store;
  store.metric = metric;
  store.quantization = quantization;
  store.dim = dim;
  store.row_bytes = stored_bytes(metric, dim);
  store.code_stride = stride_of_codes(metric, quantization, dim);
  store.terms_apart = quantization == Quantization::kSq8 && sq8_puts_terms_apart(dim);
  return store;
}

void RowStore::keep_terms_in_rows() {
  if (!terms_apart) return;
  terms_apart = false;
  code_stride = sq8_stride(dim, false);
}

RowStore RowStore::grown(size_t capacity) const {
  RowStore out = *this;
  out.rows = rows.grown(capacity * row_bytes);
  out.codes = codes.grown(capacity * code_stride);
  out.terms = terms.grown(capacity * terms_per_row());
  out.ids = ids.grown(capacity);
  return out;
}

RowStore RowStore::emptied(size_t capacity) const {
  RowStore out = *this;
  out.rows = Buffer<uint8_t>(capacity * row_bytes);
  out.codes = Buffer<uint8_t>(capacity * code_stride);
  out.terms = Buffer<float>(capacity * terms_per_row());
  out.ids = Buffer<uint32_t>(capacity);
  return out;
}

void RowStore::copy_row(const RowStore& from, uint32_t from_slot, uint32_t slot) const {
  std::copy_n(from.rows.data() + from_slot * row_bytes, row_bytes, rows.data() + slot * row_bytes);
  std::copy_n(from.codes.data() + from_slot * code_stride, code_stride, codes.data() + slot * code_stride);
  std::copy_n(from.terms.data() + from_slot * terms_per_row(), terms_per_row(), terms.data() + slot * terms_per_row());
  ids[slot] = from.ids[from_slot];
}

bool RowStore::holds(uint32_t slot, const void* vector, size_t position, PreparedQuery& scratch) const {
  const void* wanted = vector;
  if (metric == Metric::kCosine) {
    scratch.resize((dim + 1) / 2);
    normalize_row(static_cast<const float*>(vector), dim, reinterpret_cast<float*>(scratch.data()), position);
    wanted = scratch.data();
  }
  if (on_bits(metric)) return std::memcmp(wanted, row_as<uint8_t>(slot), vector_bytes(metric, dim)) == 0;
  const auto* values = static_cast<const float*>(wanted);
  return std::equal(values, values + dim, row(slot));
}

void RowStore::put(uint32_t slot, const void* vector, uint32_t id, size_t position) const {
  uint8_t* row = rows.data() + slot * row_bytes;
  const size_t bytes = vector_bytes(metric, dim);
  if (metric == Metric::kCosine) {
    normalize_row(static_cast<const float*>(vector), dim, row_as<float>(slot), position);
  } else {
    std::memcpy(row, vector, bytes);
  }
  if (metric == Metric::kIp) row_as<float>(slot)[dim] = inverse_length(static_cast<const float*>(vector), dim);
  if (on_bits(metric)) std::memset(row + bytes, 0, row_bytes - bytes);

  uint8_t* code = codes.data() + slot * code_stride;
  if (quantization == Quantization::kSq8) sq8_encode(row_as<float>(slot), dim, metric, Sq8Rows::of(*this), slot);
  if (quantization == Quantization::kF16) f16_encode(row_as<float>(slot), dim, metric, code, code_stride, position);
  ids[slot] = id;
}

bool RowStore::sound(size_t slot) const {
  if (!on_bits(metric)) {
    const float* values = row_as<float>(slot);
    return std::all_of(values, values + stride_of<float>(), [](float value) { return std::isfinite(value); });
  }
  const uint8_t* bytes = row_as<uint8_t>(slot);
  for (size_t bit = dim; bit < row_bytes * 8; ++bit) {
    if ((bytes[bit / 8] >> (bit % 8) & 1) != 0) return false;
  }
  return true;
}

void RowStore::require_sound() const {
  require_distinct_ids(ids.data(), ids.size());
  for (size_t slot = 0; slot < ids.size(); ++slot) {
    if (!sound(slot))
      throw Error("INVALID_ARGUMENT", "row " + std::to_string(slot) + " is not finite, or has bits after its last.");
  }
}

void RowStore::copy_vector(uint32_t slot, void* out) const {
  std::memcpy(out, rows.data() + slot * row_bytes, vector_bytes(metric, dim));
}

void RowStore::prepare_query(const void* query, PreparedQuery& out) const {
  const size_t bytes = vector_bytes(metric, dim);
  out.assign((bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t), 0);
  if (metric == Metric::kCosine) {
    normalize_row(static_cast<const float*>(query), dim, reinterpret_cast<float*>(out.data()), 0);
  } else {
    std::memcpy(out.data(), query, bytes);
  }
}

void RowStore::distances(const void* prepared, const uint32_t* slots, size_t count, float* out) const {
  if (on_bits(metric)) {
    const size_t words = stride_of<uint64_t>();
    bit_gather(metric)(static_cast<const uint64_t*>(prepared), row_as<uint64_t>(0), words, slots, count, words, out);
    return;
  }
  f32_gather(metric)(static_cast<const float*>(prepared), row(0), stride_of<float>(), slots, count, dim, out);
  to_distances(metric, count, out);
}

void RowStore::distances_range(const void* prepared, size_t begin, size_t count, float* out) const {
  if (on_bits(metric)) {
    const size_t words = stride_of<uint64_t>();
    bit_scan(metric)(static_cast<const uint64_t*>(prepared), row_as<uint64_t>(begin), words, count, words, out);
    return;
  }
  f32_scan(metric)(static_cast<const float*>(prepared), row_as<float>(begin), stride_of<float>(), count, dim, out);
  to_distances(metric, count, out);
}

size_t RowStore::memory_bytes() const { return rows.size() + codes.size() + (terms.size() + ids.size()) * sizeof(uint32_t); }

}  // namespace nigh
