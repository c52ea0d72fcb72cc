#include "napi/new_arrays.h"

#include <string>

#include "base/error.h"
#include "napi/addon_data.h"

namespace nigh::binding {

namespace {

// A process that has not so much left is lost in any case, and Node-API is the faster way.
constexpr size_t kSmall = 64 * 1024;

}  // namespace

Napi::ArrayBuffer new_array_buffer(Napi::Env env, size_t bytes) {
  if (bytes <= kSmall) return Napi::ArrayBuffer::New(env, bytes);
  try {
    return AddonData::of(env)
        .array_buffer_class.New({Napi::Number::New(env, static_cast<double>(bytes))})
        .As<Napi::ArrayBuffer>();
  } catch (const Napi::Error&) {
    // What JavaScript's own constructor throws is a RangeError without a code.
    throw Error("OUT_OF_MEMORY", "An array of " + std::to_string(bytes) + " bytes could not be allocated.");
  }
}

}  // namespace nigh::binding
