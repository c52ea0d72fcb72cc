// Linear models over items, and the products they are used by.
#pragma once

#include <napi.h>

namespace nigh::binding {

/// sparseProduct, easeWeights, denseProject, ridgeMap and denseSvd.
void export_linear_training(Napi::Env env, Napi::Object exports);

}  // namespace nigh::binding
