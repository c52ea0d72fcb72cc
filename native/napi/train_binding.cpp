#include "napi/train_binding.h"

#include <utility>

#include "base/csr_transpose.h"
#include "napi/addon_data.h"
#include "napi/args.h"
#include "napi/errors.h"
#include "napi/promise_task.h"
#include "napi/task_control_binding.h"
#include "train/als.h"
#include "train/randomized_svd.h"

namespace nigh::binding {

namespace {

// offsets, columns, values, cols
constexpr size_t kCsrArguments = 4;

CsrView csr_at(const Napi::CallbackInfo& info, size_t first, const char* name) {
  return csr(info[first], info[first + 1], info[first + 2], info[first + 3], name);
}

// Cannot wrap: the factors are array lengths or fit 32 bits.
size_t product(size_t a, size_t b) { return a * b; }

AlsParams als_params(const Napi::CallbackInfo& info, size_t first) {
  AlsParams params;
  params.factors = integer32(info[first], "factors");
  params.iterations = integer32(info[first + 1], "iterations");
  params.unobserved_weight = number(info[first + 2], "unobservedWeight");
  params.regularization = number(info[first + 3], "regularization");
  params.frequency_exponent = number(info[first + 4], "frequencyExponent");
  params.init_stddev = number(info[first + 5], "initStddev");
  params.seed = integer(info[first + 6], "seed");
  params.cg_steps = integer32(info[first + 7], "cgSteps");
  params.max_lanes = integer32(info[first + 8], "threads");
  if (params.factors == 0) wrong_argument("factors", "at least 1");
  return params;
}

constexpr size_t kAlsArguments = 9;

// alsTrain(users × items, …als params, userFactors, itemFactors, control | null)
Napi::Value als_train_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const CsrView users_items = csr_at(info, 0, "matrix");
    size_t next = kCsrArguments;
    const AlsParams params = als_params(info, next);
    next += kAlsArguments;
    float* users = typed_array<float>(info[next], "userFactors", product(users_items.rows(), params.factors)).data();
    float* items = typed_array<float>(info[next + 1], "itemFactors", product(users_items.cols, params.factors)).data();
    auto task = make_task(
        TaskControlBinding::control_of(info[next + 2]),
        [=](TaskControl& control) {
          check_csr(users_items, "matrix");
          const OwnedCsr items_users = transpose(users_items);
          als_train(users_items, items_users.view(), params, users, items, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env())
        .mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[1], info[2], info[next], info[next + 1]});
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

// alsFoldIn(histories, itemFactors data, rows, dim, gramian, …als params, otherSideTotal, out, control | null)
Napi::Value als_fold_in_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const CsrView histories = csr_at(info, 0, "histories");
    size_t next = kCsrArguments;
    const MatrixView<const float> items = matrix(info[next], info[next + 1], info[next + 2], "itemFactors");
    const float* gramian = typed_array<float>(info[next + 3], "gramian", product(items.dim, items.dim)).data();
    const AlsParams params = als_params(info, next + 4);
    next += 4 + kAlsArguments;
    if (histories.cols != items.rows) wrong_argument("histories", "one column for every row of itemFactors");
    if (params.factors != items.dim) wrong_argument("factors", "the number of columns of itemFactors");
    const size_t other_side_total = integer(info[next], "otherSideTotal");
    float* out = typed_array<float>(info[next + 1], "out", product(histories.rows(), params.factors)).data();
    auto task = make_task(
        TaskControlBinding::control_of(info[next + 2]),
        [=](TaskControl& control) {
          check_csr(histories, "histories");
          als_fold_in(histories, items, gramian, params, other_side_total, params.max_lanes, out, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env())
        .mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[1], info[2], info[4], info[7], info[next + 1]});
  });
}

// randomizedSvd(matrix, rank, oversampling, powerIterations, seed, threads, u, s, v, control | null)
Napi::Value randomized_svd_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const CsrView matrix = csr_at(info, 0, "matrix");
    const size_t next = kCsrArguments;
    RandomizedSvdParams params;
    params.rank = integer32(info[next], "rank");
    params.oversampling = integer32(info[next + 1], "oversampling");
    params.power_iterations = integer32(info[next + 2], "powerIterations");
    params.seed = integer(info[next + 3], "seed");
    params.max_lanes = integer32(info[next + 4], "threads");
    if (params.rank == 0) wrong_argument("rank", "at least 1");
    float* u = typed_array<float>(info[next + 5], "u", product(matrix.rows(), params.rank)).data();
    float* s = typed_array<float>(info[next + 6], "s", params.rank).data();
    float* v = typed_array<float>(info[next + 7], "v", product(matrix.cols, params.rank)).data();
    auto task = make_task(
        TaskControlBinding::control_of(info[next + 8]),
        [=](TaskControl& control) {
          check_csr(matrix, "matrix");
          const OwnedCsr transposed = transpose(matrix);
          randomized_svd(matrix, transposed.view(), params, u, s, v, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env())
        .mailbox->start(TaskClass::kLong, std::move(task),
                        {info[0], info[1], info[2], info[next + 5], info[next + 6], info[next + 7]});
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
