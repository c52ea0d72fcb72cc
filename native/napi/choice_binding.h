// The factor models of choices, besides ALS.
#pragma once

#include <napi.h>

namespace nigh::binding {

/// bprTrain, nmfTrain, nmfFoldIn and sppmi.
void export_choice_training(Napi::Env env, Napi::Object exports);

}  // namespace nigh::binding
