// The training functions: sparse matrices in, factors out, each behind a promise.
#pragma once

#include <napi.h>

namespace nigh::binding {

/// alsTrain, alsGramian, alsFoldIn and randomizedSvd.
void export_training(Napi::Env env, Napi::Object exports);

}  // namespace nigh::binding
