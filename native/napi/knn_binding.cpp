#include "napi/knn_binding.h"

#include <utility>

#include "base/csr_transpose.h"
#include "napi/addon_data.h"
#include "napi/args.h"
#include "napi/errors.h"
#include "napi/promise_task.h"
#include "napi/task_control_binding.h"
#include "train/sparse_knn.h"

namespace nigh::binding {

namespace {

// measure, k, minSupport, shrinkage, threads
constexpr size_t kKnnArguments = 5;

SparseKnnParams knn_params(const Napi::CallbackInfo& info, size_t first) {
  SparseKnnParams params;
  const uint32_t measure = integer32(info[first], "measure");
  if (measure >= kKnnMeasures) wrong_argument("measure", "the number of a measure");
  params.measure = static_cast<KnnMeasure>(measure);
  params.k = integer32(info[first + 1], "k");
  params.min_support = integer32(info[first + 2], "minSupport");
  params.shrinkage = number(info[first + 3], "shrinkage");
  params.max_lanes = integer32(info[first + 4], "threads");
  if (params.k == 0) wrong_argument("k", "at least 1");
  if (!(params.shrinkage >= 0)) wrong_argument("shrinkage", "at least 0");
  return params;
}

void check_indices(std::span<const uint32_t> indices, size_t bound, const char* name) {
  for (const uint32_t index : indices) {
    if (index >= bound)
      throw Error("INVALID_ARGUMENT", std::string(name) + ": expected indices below " + std::to_string(bound) + ".");
  }
}

// sparseKnn(queries…, base…, same, …knn params, ids, similarities, counts, control | null)
Napi::Value sparse_knn_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const CsrView queries = csr(info[0], info[1], info[2], info[3], "queries");
    const CsrView base = csr(info[4], info[5], info[6], info[7], "base");
    const bool same = boolean(info[8], "same");
    const SparseKnnParams params = knn_params(info, 9);
    const size_t next = 9 + kKnnArguments;
    if (queries.cols != base.cols) wrong_argument("queries", "as many columns as base");
    if (same && queries.rows() != base.rows()) wrong_argument("queries", "the rows of base");
    // Cannot wrap: the number of rows is an array's length and k fits 32 bits.
    const size_t size = queries.rows() * params.k;
    uint32_t* ids = typed_array<uint32_t>(info[next], "ids", size).data();
    float* similarities = typed_array<float>(info[next + 1], "similarities", size).data();
    uint32_t* counts = typed_array<uint32_t>(info[next + 2], "counts", queries.rows()).data();
    auto task = make_task(
        TaskControlBinding::control_of(info[next + 3]),
        [=](TaskControl& control) {
          check_csr(queries, "queries");
          check_csr(base, "base");
          const OwnedCsr by_column = transpose(base);
          sparse_knn(queries, base, by_column.view(), same, params, ids, similarities, counts, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env())
        .mailbox->start(TaskClass::kLong, std::move(task),
                        {info[0], info[1], info[2], info[4], info[5], info[6], info[next], info[next + 1], info[next + 2]});
  });
}

// sparseKnnMeans(matrix…, targets, pairRows, pairColumns, …knn params, out, control | null)
Napi::Value sparse_knn_means_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const CsrView base = csr(info[0], info[1], info[2], info[3], "matrix");
    const std::span<const float> targets = typed_array<float>(info[4], "targets", base.entries());
    const std::span<const uint32_t> rows = typed_array<uint32_t>(info[5], "pairRows");
    const std::span<const uint32_t> columns = typed_array<uint32_t>(info[6], "pairColumns", rows.size());
    const SparseKnnParams params = knn_params(info, 7);
    const size_t next = 7 + kKnnArguments;
    float* out = typed_array<float>(info[next], "out", rows.size()).data();
    auto task = make_task(
        TaskControlBinding::control_of(info[next + 1]),
        [=](TaskControl& control) {
          check_csr(base, "matrix");
          check_indices(rows, base.rows(), "pairRows");
          check_indices(columns, base.cols, "pairColumns");
          const OwnedCsr by_column = transpose(base);
          const OwnedCsr turned = transpose({base.offsets, base.columns, targets, base.cols});
          sparse_knn_means(base, by_column.view(), turned.values, rows, columns, params, out, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env())
        .mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[1], info[2], info[4], info[5], info[6], info[next]});
  });
}

}  // namespace

void export_knn(Napi::Env env, Napi::Object exports) {
  exports.Set("sparseKnn", Napi::Function::New<sparse_knn_task>(env, "sparseKnn"));
  exports.Set("sparseKnnMeans", Napi::Function::New<sparse_knn_means_task>(env, "sparseKnnMeans"));
}

}  // namespace nigh::binding
