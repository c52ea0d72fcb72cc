#include "napi/train_binding.h"

#include <memory>
#include <optional>

#include "base/csr_transpose.h"
#include "napi/train_arguments.h"
#include "train/als.h"
#include "train/randomized_svd.h"

namespace nigh::binding {

namespace {

// Cannot wrap: the factors are array lengths or fit 32 bits.
size_t product(size_t a, size_t b) { return a * b; }

AlsParams als_params(TrainArguments& arguments) {
  AlsParams params;
  params.factors = arguments.positive("factors");
  params.iterations = arguments.integer("iterations");
  params.unobserved_weight = arguments.number("unobservedWeight");
  params.regularization = arguments.number("regularization");
  params.frequency_exponent = arguments.number("frequencyExponent");
  params.init_stddev = arguments.number("initStddev");
  params.seed = arguments.seed();
  params.cg_steps = arguments.integer("cgSteps");
  params.dislikes = arguments.flag("dislikes");
  params.max_lanes = arguments.integer("threads");
  return params;
}

// alsTrain(users × items, …als params, features data | null, rows, dim, regularization, map | null, userFactors, itemFactors,
// control | null)
Napi::Value als_train_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView users_items = arguments.csr("matrix");
    const AlsParams params = als_params(arguments);
    std::optional<AlsFeatures> features;
    if (const auto rows = arguments.optional_matrix("features")) {
      const float regularization = arguments.number("featureRegularization");
      features = AlsFeatures{*rows, regularization, arguments.floats("map", product(params.factors, rows->dim))};
    } else {
      arguments.skip(2);
    }
    float* users = arguments.floats("userFactors", product(users_items.rows(), params.factors));
    float* items = arguments.floats("itemFactors", product(users_items.cols, params.factors));
    return arguments.start([=](TaskControl& control) {
      check_csr(users_items, "matrix");
      const OwnedCsr items_users = transpose(users_items);
      als_train(users_items, items_users.view(), params, features ? &*features : nullptr, users, items, control);
    });
  });
}

// alsGramian(data, rows, dim, unobservedWeight, threads, out)
Napi::Value als_gramian_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const MatrixView<const float> factors = matrix(info[0], info[1], info[2], "factors");
    const float weight = number(info[3], "unobservedWeight");
    const size_t threads = integer32(info[4], "threads");
    float* out = typed_array<float>(info[5], "out", product(factors.dim, factors.dim)).data();
    auto task = make_task(
        std::make_shared<TaskControl>(),
        [=](TaskControl&) {
          als_gramian(factors, weight, threads, out);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[5]});
  });
}

// alsFoldIn(histories, itemFactors data, rows, dim, gramian, means | null, …als params, otherSideTotal, out, control | null)
Napi::Value als_fold_in_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView histories = arguments.csr("histories");
    const MatrixView<const float> items = arguments.matrix("itemFactors");
    const float* gramian = arguments.floats("gramian", product(items.dim, items.dim));
    const float* means = arguments.optional_floats("means", product(histories.rows(), items.dim));
    const AlsParams params = als_params(arguments);
    if (histories.cols != items.rows) wrong_argument("histories", "one column for every row of itemFactors");
    if (params.factors != items.dim) wrong_argument("factors", "the number of columns of itemFactors");
    const size_t other_side_total = arguments.integer("otherSideTotal");
    float* out = arguments.floats("out", product(histories.rows(), params.factors));
    return arguments.start([=](TaskControl& control) {
      check_csr(histories, "histories");
      als_fold_in(histories, items, gramian, means, params, other_side_total, params.max_lanes, out, control);
    });
  });
}

// randomizedSvd(matrix, rank, oversampling, powerIterations, seed, threads, u, s, v, control | null)
Napi::Value randomized_svd_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView matrix = arguments.csr("matrix");
    RandomizedSvdParams params;
    params.rank = arguments.positive("rank");
    params.oversampling = arguments.integer("oversampling");
    params.power_iterations = arguments.integer("powerIterations");
    params.seed = arguments.seed();
    params.max_lanes = arguments.integer("threads");
    float* u = arguments.floats("u", product(matrix.rows(), params.rank));
    float* s = arguments.floats("s", params.rank);
    float* v = arguments.floats("v", product(matrix.cols, params.rank));
    return arguments.start([=](TaskControl& control) {
      check_csr(matrix, "matrix");
      const OwnedCsr transposed = transpose(matrix);
      randomized_svd(matrix, transposed.view(), params, u, s, v, control);
    });
  });
}

}  // namespace

void export_training(Napi::Env env, Napi::Object exports) {
  exports.Set("alsTrain", Napi::Function::New<als_train_task>(env, "alsTrain"));
  exports.Set("alsGramian", Napi::Function::New<als_gramian_task>(env, "alsGramian"));
  exports.Set("alsFoldIn", Napi::Function::New<als_fold_in_task>(env, "alsFoldIn"));
  exports.Set("randomizedSvd", Napi::Function::New<randomized_svd_task>(env, "randomizedSvd"));
}

}  // namespace nigh::binding
