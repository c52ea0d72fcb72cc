#include "napi/args.h"

#include <cmath>

namespace nigh::binding {

namespace {

// By the value of Metric.
constexpr const char* kMetricNames[kMetrics] = {"l2", "ip", "cosine", "l1", "chebyshev", "hamming", "jaccard"};

constexpr double kMaxInteger = 9007199254740991.0;  // 2^53 − 1

double plain_number(const Napi::Value& value, const char* name) {
  double out = 0;
  if (napi_get_value_double(value.Env(), value, &out) != napi_ok) wrong_argument(name, "a number");
  return out;
}

std::string at_row(const char* name, size_t row) { return std::string(name) + ": row " + std::to_string(row); }

}  // namespace

void wrong_argument(const char* name, const char* expected) {
  throw Error("INVALID_ARGUMENT", std::string(name) + ": expected " + expected + ".");
}

uint64_t integer(const Napi::Value& value, const char* name) {
  const double out = plain_number(value, name);
  if (!(out >= 0 && out <= kMaxInteger) || out != std::floor(out)) wrong_argument(name, "an integer from 0 to 2^53 - 1");
  return static_cast<uint64_t>(out);
}

uint32_t integer32(const Napi::Value& value, const char* name) {
  const double out = plain_number(value, name);
  if (!(out >= 0 && out <= 4294967295.0) || out != std::floor(out)) wrong_argument(name, "an integer from 0 to 2^32 - 1");
  return static_cast<uint32_t>(out);
}

float number(const Napi::Value& value, const char* name) {
  const double out = plain_number(value, name);
  if (!std::isfinite(static_cast<float>(out))) wrong_argument(name, "a finite number");
  return static_cast<float>(out);
}

bool boolean(const Napi::Value& value, const char* name) {
  bool out = false;
  if (napi_get_value_bool(value.Env(), value, &out) != napi_ok) wrong_argument(name, "a boolean");
  return out;
}

std::string string(const Napi::Value& value, const char* name) {
  if (!value.IsString()) wrong_argument(name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

Metric metric(const Napi::Value& value) {
  const std::string name = string(value, "metric");
  for (uint32_t m = 0; m < kMetrics; ++m) {
    if (name == kMetricNames[m]) return static_cast<Metric>(m);
  }
  wrong_argument("metric", "one of l2, ip, cosine, l1, chebyshev, hamming and jaccard");
}

const char* metric_name(Metric metric) { return kMetricNames[static_cast<uint32_t>(metric)]; }

MatrixView<const float> matrix(const Napi::Value& data, const Napi::Value& rows, const Napi::Value& dim, const char* name) {
  const std::span<const float> values = typed_array<float>(data, name);
  const uint64_t row_count = integer(rows, "rows");
  const uint64_t columns = integer(dim, "dim");
  // The quotient, because the product of two 53-bit numbers may wrap.
  const bool fits = columns != 0 && values.size() % columns == 0 && values.size() / columns == row_count;
  if (!fits) wrong_argument(name, "rows x dim values with dim >= 1");
  return {values.data(), static_cast<size_t>(row_count), static_cast<size_t>(columns)};
}

const uint32_t* optional_ids(const Napi::Value& value, size_t rows) {
  return value.IsNull() ? nullptr : typed_array<uint32_t>(value, "ids", rows).data();
}

CsrView csr(const Napi::Value& offsets, const Napi::Value& columns, const Napi::Value& values, const Napi::Value& cols,
            const char* name) {
  CsrView view{typed_array<uint32_t>(offsets, name), typed_array<uint32_t>(columns, name), typed_array<float>(values, name),
               integer32(cols, name)};
  if (view.offsets.empty()) wrong_argument(name, "rows + 1 offsets");
  if (view.columns.size() != view.values.size()) wrong_argument(name, "as many values as columns");
  return view;
}

void check_csr(const CsrView& matrix, const char* name) {
  if (matrix.offsets.front() != 0 || matrix.offsets.back() != matrix.entries()) {
    throw Error("INVALID_ARGUMENT", std::string(name) + ": offsets must run from 0 to the number of entries (" +
                                        std::to_string(matrix.entries()) + "), got " + std::to_string(matrix.offsets.front()) +
                                        " to " + std::to_string(matrix.offsets.back()) + ".");
  }
  for (size_t row = 0; row < matrix.rows(); ++row) {
    const size_t begin = matrix.offsets[row];
    const size_t end = matrix.offsets[row + 1];
    if (end < begin || end > matrix.entries()) {
      throw Error("INVALID_ARGUMENT", at_row(name, row) + ": offsets descend or leave the matrix.");
    }
    for (size_t entry = begin; entry < end; ++entry) {
      if (matrix.columns[entry] >= matrix.cols) {
        throw Error("INVALID_ARGUMENT", at_row(name, row) + ": column " + std::to_string(matrix.columns[entry]) +
                                            " is out of range, there are " + std::to_string(matrix.cols) + ".");
      }
      if (entry > begin && matrix.columns[entry] <= matrix.columns[entry - 1]) {
        throw Error("INVALID_ARGUMENT", at_row(name, row) + ": columns do not ascend.");
      }
      if (!std::isfinite(matrix.values[entry])) {
        throw Error("NOT_FINITE",
                    at_row(name, row) + ": the value in column " + std::to_string(matrix.columns[entry]) + " is not finite.");
      }
    }
  }
}

}  // namespace nigh::binding
