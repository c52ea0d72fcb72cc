#include "napi/clustering_binding.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "napi/addon_data.h"
#include "napi/args.h"
#include "napi/errors.h"
#include "napi/promise_task.h"
#include "napi/task_control_binding.h"
#include "train/kmeans.h"
#include "train/pca.h"

namespace nigh::binding {

namespace {

// kmeans(data, rows, dim, clusters, spherical, maxIterations, tolerance, seed, threads, centroids, assignments, inertias, control
// | null) → how many inertias there are
Napi::Value kmeans_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const MatrixView<const float> rows = matrix(info[0], info[1], info[2], "matrix");
    KmeansParams params;
    params.clusters = integer32(info[3], "clusters");
    params.spherical = boolean(info[4], "spherical");
    params.max_iterations = integer32(info[5], "maxIterations");
    params.tolerance = number(info[6], "tolerance");
    params.seed = integer(info[7], "seed");
    params.max_lanes = integer32(info[8], "threads");
    if (params.clusters == 0 || params.clusters > rows.rows) wrong_argument("clusters", "at least 1, and at most one a row");
    float* centroids = typed_array<float>(info[9], "centroids", params.clusters * rows.dim).data();
    uint32_t* assignments = typed_array<uint32_t>(info[10], "assignments", rows.rows).data();
    double* inertias = typed_array<double>(info[11], "inertias", params.max_iterations + 1).data();
    auto task = make_task(
        TaskControlBinding::control_of(info[12]),
        [=](TaskControl& control) {
          const std::vector<double> found = kmeans(rows, params, centroids, assignments, control);
          std::copy(found.begin(), found.end(), inertias);
          return found.size();
        },
        [](Napi::Env env, size_t count) { return Napi::Number::New(env, static_cast<double>(count)); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[9], info[10], info[11]});
  });
}

// pca(data, rows, dim, components, threads, mean, variances, directions, projected, control | null)
Napi::Value pca_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const MatrixView<const float> rows = matrix(info[0], info[1], info[2], "matrix");
    const size_t components = integer32(info[3], "components");
    const size_t threads = integer32(info[4], "threads");
    if (components == 0 || components > rows.dim) wrong_argument("components", "at least 1, and at most as many as dimensions");
    float* mean = typed_array<float>(info[5], "mean", rows.dim).data();
    double* variances = typed_array<double>(info[6], "variances", rows.dim).data();
    float* directions = typed_array<float>(info[7], "directions", components * rows.dim).data();
    float* projected = typed_array<float>(info[8], "projected", rows.rows * components).data();
    auto task = make_task(
        TaskControlBinding::control_of(info[9]),
        [=](TaskControl& control) {
          pca(rows, components, threads, mean, variances, directions, projected, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env())
        .mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[5], info[6], info[7], info[8]});
  });
}

}  // namespace

void export_clustering(Napi::Env env, Napi::Object exports) {
  exports.Set("kmeans", Napi::Function::New<kmeans_task>(env, "kmeans"));
  exports.Set("pca", Napi::Function::New<pca_task>(env, "pca"));
}

}  // namespace nigh::binding
