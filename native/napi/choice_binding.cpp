#include "napi/choice_binding.h"

#include <algorithm>
#include <vector>

#include "base/csr_transpose.h"
#include "napi/new_arrays.h"
#include "napi/train_arguments.h"
#include "train/bpr.h"
#include "train/nmf.h"
#include "train/sppmi.h"

namespace nigh::binding {

namespace {

// bprTrain(interactions, factors, epochs, learningRate, regularization, initStddev, seed, threads, users, items, userBiases,
// itemBiases, control | null)
Napi::Value bpr_train_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView interactions = arguments.csr("interactions");
    const size_t factors = arguments.positive("factors");
    BprParams params;
    params.epochs = arguments.integer("epochs");
    params.learning_rate = arguments.number("learningRate");
    params.regularization = arguments.number("regularization");
    params.init_stddev = arguments.number("initStddev");
    params.seed = arguments.seed();
    params.max_lanes = arguments.integer("threads");
    RatingFactors out;
    out.users = {arguments.floats("users", interactions.rows() * factors), interactions.rows(), factors};
    out.items = {arguments.floats("items", interactions.cols * factors), interactions.cols, factors};
    out.user_biases = arguments.floats("userBiases", interactions.rows());
    out.item_biases = arguments.floats("itemBiases", interactions.cols);
    return arguments.start([=](TaskControl& control) {
      check_csr(interactions, "interactions");
      const OwnedCsr transposed = transpose(interactions);
      bpr_train(interactions, transposed.view(), params, out, control);
    });
  });
}

// nmfTrain(matrix, factors, iterations, regularization, observedOnly, seed, threads, users, items, control | null)
Napi::Value nmf_train_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView matrix = arguments.csr("matrix");
    const size_t factors = arguments.positive("factors");
    NmfParams params;
    params.iterations = arguments.integer("iterations");
    params.regularization = arguments.number("regularization");
    params.observed_only = arguments.flag("observedOnly");
    params.seed = arguments.seed();
    params.max_lanes = arguments.integer("threads");
    const MatrixView<float> users{arguments.floats("users", matrix.rows() * factors), matrix.rows(), factors};
    const MatrixView<float> items{arguments.floats("items", matrix.cols * factors), matrix.cols, factors};
    return arguments.start([=](TaskControl& control) {
      check_csr(matrix, "matrix");
      const OwnedCsr transposed = transpose(matrix);
      nmf_train(matrix, transposed.view(), params, users, items, control);
    });
  });
}

// nmfFoldIn(matrix, items data, rows, dim, gramian | null, regularization, observedOnly, threads, users, control | null)
Napi::Value nmf_fold_in_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView matrix = arguments.csr("matrix");
    const MatrixView<const float> items = arguments.matrix("items");
    if (matrix.cols != items.rows) wrong_argument("matrix", "one column for every row of items");
    const float* gramian = arguments.optional_floats("gramian", items.dim * items.dim);
    NmfParams params;
    params.regularization = arguments.number("regularization");
    params.observed_only = arguments.flag("observedOnly");
    params.max_lanes = arguments.integer("threads");
    const MatrixView<float> users{arguments.floats("users", matrix.rows() * items.dim), matrix.rows(), items.dim};
    return arguments.start([=](TaskControl& control) {
      check_csr(matrix, "matrix");
      nmf_fold_in(matrix, items, gramian, params, users, control);
    });
  });
}

Napi::Value to_js(Napi::Env env, const OwnedCsr& matrix) {
  Napi::Object out = Napi::Object::New(env);
  auto offsets = new_typed_array<uint32_t>(env, matrix.offsets.size());
  auto columns = new_typed_array<uint32_t>(env, matrix.columns.size());
  auto values = new_typed_array<float>(env, matrix.values.size());
  std::copy(matrix.offsets.begin(), matrix.offsets.end(), offsets.Data());
  std::copy(matrix.columns.begin(), matrix.columns.end(), columns.Data());
  std::copy(matrix.values.begin(), matrix.values.end(), values.Data());
  out.Set("offsets", offsets);
  out.Set("columns", columns);
  out.Set("values", values);
  return out;
}

// sppmi(interactions, negatives, longestHistory, threads, control | null) → { offsets, columns, values }
Napi::Value sppmi_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView interactions = arguments.csr("interactions");
    const float negatives = arguments.number("negatives");
    if (!(negatives > 0)) wrong_argument("negatives", "a number above 0");
    const size_t longest_history = arguments.integer("longestHistory");
    const size_t threads = arguments.integer("threads");
    return arguments.start(
        [=](TaskControl& control) {
          check_csr(interactions, "interactions");
          const OwnedCsr transposed = transpose(interactions);
          return sppmi(interactions, transposed.view(), negatives, longest_history, threads, control);
        },
        [](Napi::Env env, const OwnedCsr& matrix) { return to_js(env, matrix); });
  });
}

}  // namespace

void export_choice_training(Napi::Env env, Napi::Object exports) {
  exports.Set("bprTrain", Napi::Function::New<bpr_train_task>(env, "bprTrain"));
  exports.Set("nmfTrain", Napi::Function::New<nmf_train_task>(env, "nmfTrain"));
  exports.Set("nmfFoldIn", Napi::Function::New<nmf_fold_in_task>(env, "nmfFoldIn"));
  exports.Set("sppmi", Napi::Function::New<sppmi_task>(env, "sppmi"));
}

}  // namespace nigh::binding
