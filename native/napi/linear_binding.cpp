#include "napi/linear_binding.h"

#include "base/csr_transpose.h"
#include "napi/train_arguments.h"
#include "train/ease.h"
#include "train/randomized_svd.h"
#include "train/ridge_map.h"
#include "train/sparse_product.h"
#include "train/tall_matrix.h"

namespace nigh::binding {

namespace {

// sparseProduct(sparse, dense data, rows, dim, threads, out, control | null)
Napi::Value sparse_product_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView sparse = arguments.csr("sparse");
    const MatrixView<const float> dense = arguments.matrix("dense");
    if (sparse.cols != dense.rows) wrong_argument("sparse", "one column for every row of dense");
    const size_t threads = arguments.integer("threads");
    float* out = arguments.floats("out", sparse.rows() * dense.dim);
    return arguments.start([=](TaskControl& control) {
      check_csr(sparse, "sparse");
      sparse_product(sparse, dense, 1, threads, out, control);
    });
  });
}

// easeWeights(interactions, regularization, threads, out, diagonal, control | null)
Napi::Value ease_weights_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView interactions = arguments.csr("interactions");
    const float regularization = arguments.number("regularization");
    const size_t threads = arguments.integer("threads");
    float* out = arguments.floats("out", interactions.cols * interactions.cols);
    float* diagonal = arguments.floats("diagonal", interactions.cols);
    return arguments.start([=](TaskControl& control) {
      check_csr(interactions, "interactions");
      const OwnedCsr transposed = transpose(interactions);
      ease_weights(interactions, transposed.view(), regularization, threads, out, diagonal, control);
    });
  });
}

// denseSvd(matrix data, rows, dim, rank, oversampling, powerIterations, seed, threads, u, s, v, control | null)
Napi::Value dense_svd_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const MatrixView<const float> matrix = arguments.matrix("matrix");
    RandomizedSvdParams params;
    params.rank = arguments.positive("rank");
    params.oversampling = arguments.integer("oversampling");
    params.power_iterations = arguments.integer("powerIterations");
    params.seed = arguments.seed();
    params.max_lanes = arguments.integer("threads");
    float* u = arguments.floats("u", matrix.rows * params.rank);
    float* s = arguments.floats("s", params.rank);
    float* v = arguments.floats("v", matrix.dim * params.rank);
    return arguments.start([=](TaskControl& control) { dense_svd(matrix, params, u, s, v, control); });
  });
}

// denseProject(rows data, rows, dim, basis data, rows, dim, threads, out, control | null)
Napi::Value dense_project_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const MatrixView<const float> rows = arguments.matrix("rows");
    const MatrixView<const float> basis = arguments.matrix("basis");
    if (basis.dim != rows.dim) wrong_argument("basis", "as many columns as rows");
    const size_t threads = arguments.integer("threads");
    float* out = arguments.floats("out", rows.rows * basis.rows);
    return arguments.start([=](TaskControl& control) {
      control.check();
      tall_project(rows, basis.data, basis.rows, threads, out);
    });
  });
}

// ridgeMap(features data, rows, dim, weights, targets data, rows, dim, regularization, threads, map, control | null)
Napi::Value ridge_map_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const MatrixView<const float> features = arguments.matrix("features");
    const float* weights = arguments.floats("weights", features.rows);
    const MatrixView<const float> targets = arguments.matrix("targets");
    if (targets.rows != features.rows) wrong_argument("targets", "one row for every row of features");
    const float regularization = arguments.number("regularization");
    const size_t threads = arguments.integer("threads");
    float* map = arguments.floats("map", targets.dim * features.dim);
    return arguments.start([=](TaskControl& control) {
      const RidgeMap ridge(features, {weights, weights + features.rows}, double{regularization}, threads);
      control.check();
      ridge.fit(targets, threads, map);
    });
  });
}

}  // namespace

void export_linear_training(Napi::Env env, Napi::Object exports) {
  exports.Set("sparseProduct", Napi::Function::New<sparse_product_task>(env, "sparseProduct"));
  exports.Set("easeWeights", Napi::Function::New<ease_weights_task>(env, "easeWeights"));
  exports.Set("denseProject", Napi::Function::New<dense_project_task>(env, "denseProject"));
  exports.Set("ridgeMap", Napi::Function::New<ridge_map_task>(env, "ridgeMap"));
  exports.Set("denseSvd", Napi::Function::New<dense_svd_task>(env, "denseSvd"));
}

}  // namespace nigh::binding
