// The factor models of ratings.
#pragma once

#include <napi.h>

namespace nigh::binding {

/// ratingSgd, ratingAls and ratingFoldIn.
void export_rating_training(Napi::Env env, Napi::Object exports);

}  // namespace nigh::binding
