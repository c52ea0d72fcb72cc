// Exact neighbours among sparse rows, behind promises.
#pragma once

#include <napi.h>

namespace nigh::binding {

/// sparseKnn and sparseKnnMeans.
void export_knn(Napi::Env env, Napi::Object exports);

}  // namespace nigh::binding
