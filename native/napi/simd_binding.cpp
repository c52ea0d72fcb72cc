#include "napi/simd_binding.h"

#include "napi/errors.h"
#include "simd/kernels.h"

namespace nigh::binding {

Napi::Value simd(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Napi::Array available = Napi::Array::New(info.Env());
    uint32_t count = 0;
    for (const char* const* name = available_levels(); *name != nullptr; ++name) available.Set(count++, *name);
    const Napi::Object out = Napi::Object::New(info.Env());
    out.Set("level", kernels().name);
    out.Set("available", available);
    return out;
  });
}

}  // namespace nigh::binding
