// Which instruction sets the kernels may use, and which is in force.
#pragma once

#include <napi.h>

namespace nigh::binding {

/// simd() → { level, available }
Napi::Value simd(const Napi::CallbackInfo& info);

}  // namespace nigh::binding
