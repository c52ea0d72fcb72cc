// Arrays made for JavaScript. Node-API ends the process when an array's memory cannot be had; these throw.
#pragma once

#include <napi.h>

#include <cstddef>

namespace nigh::binding {

/// A zeroed ArrayBuffer. Throws OUT_OF_MEMORY.
Napi::ArrayBuffer new_array_buffer(Napi::Env env, size_t bytes);

/// A zeroed typed array over a buffer of its own. Throws OUT_OF_MEMORY.
template <class T>
Napi::TypedArrayOf<T> new_typed_array(Napi::Env env, size_t length) {
  return Napi::TypedArrayOf<T>::New(env, length, new_array_buffer(env, length * sizeof(T)), 0);
}

}  // namespace nigh::binding
