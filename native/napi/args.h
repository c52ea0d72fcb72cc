// Values out of JavaScript arguments, checked. The TypeScript layer has said what was wrong in the user's words before; these
// checks make sure that no argument at all can make the addon read or write where it must not.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "base/matrix_view.h"
#include "index/metric.h"

namespace nigh::binding {

[[noreturn]] void wrong_argument(const char* name, const char* expected);

template <class T>
inline constexpr napi_typedarray_type kTypedArrayType = napi_uint8_array;
template <>
inline constexpr napi_typedarray_type kTypedArrayType<float> = napi_float32_array;
template <>
inline constexpr napi_typedarray_type kTypedArrayType<uint32_t> = napi_uint32_array;
template <>
inline constexpr napi_typedarray_type kTypedArrayType<double> = napi_float64_array;

template <class T>
inline constexpr const char* kTypedArrayName = "a Uint8Array";
template <>
inline constexpr const char* kTypedArrayName<float> = "a Float32Array";
template <>
inline constexpr const char* kTypedArrayName<uint32_t> = "a Uint32Array";
template <>
inline constexpr const char* kTypedArrayName<double> = "a Float64Array";

/// The elements of a typed array where they lie: also a view of a part of a buffer, also over a SharedArrayBuffer. A detached
/// array has no elements. Throws INVALID_ARGUMENT.
template <class T>
std::span<T> typed_array(const Napi::Value& value, const char* name) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  const napi_status status = napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != kTypedArrayType<T>) wrong_argument(name, kTypedArrayName<T>);
  return {static_cast<T*>(data), data == nullptr ? 0 : length};
}

/// A typed array of exactly this many elements. Throws INVALID_ARGUMENT.
template <class T>
std::span<T> typed_array(const Napi::Value& value, const char* name, size_t expected) {
  const std::span<T> array = typed_array<T>(value, name);
  if (array.size() != expected) {
    throw Error("INVALID_ARGUMENT", std::string(name) + ": expected " + std::to_string(expected) + " elements, got " +
                                        std::to_string(array.size()) + ".");
  }
  return array;
}

/// An integer from 0 to 2^53 − 1. Throws INVALID_ARGUMENT.
uint64_t integer(const Napi::Value& value, const char* name);

/// An integer that fits uint32. Throws INVALID_ARGUMENT.
uint32_t integer32(const Napi::Value& value, const char* name);

/// Any finite number, as float. Throws INVALID_ARGUMENT.
float number(const Napi::Value& value, const char* name);

bool boolean(const Napi::Value& value, const char* name);
std::string string(const Napi::Value& value, const char* name);

/// "l2", "ip", "cosine", "l1", "chebyshev", "hamming" or "jaccard". Throws INVALID_ARGUMENT.
Metric metric(const Napi::Value& value);
const char* metric_name(Metric metric);

/// Three arguments: data, rows, dim. Throws INVALID_ARGUMENT unless data holds exactly rows × dim values and dim ≥ 1.
MatrixView<const float> matrix(const Napi::Value& data, const Napi::Value& rows, const Napi::Value& dim, const char* name);

/// Null, or a Uint32Array with one id a row. Throws INVALID_ARGUMENT.
const uint32_t* optional_ids(const Napi::Value& value, size_t rows);

/// Four arguments: offsets, columns, values, cols. Looks at the lengths only: see check_csr.
CsrView csr(const Napi::Value& offsets, const Napi::Value& columns, const Napi::Value& values, const Napi::Value& cols,
            const char* name);

/// Everything that CsrView promises, in time linear in the entries: call it from the task, not from the JavaScript thread.
/// Throws INVALID_ARGUMENT (offsets that descend or miss the end, columns out of range or not ascending) and NOT_FINITE.
void check_csr(const CsrView& matrix, const char* name);

}  // namespace nigh::binding
