// What looks for structure in dense rows: clusters and principal components, each behind a promise.
#pragma once

#include <napi.h>

namespace nigh::binding {

/// kmeans and pca.
void export_clustering(Napi::Env env, Napi::Object exports);

}  // namespace nigh::binding
