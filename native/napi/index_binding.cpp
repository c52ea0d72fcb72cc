#include "napi/index_binding.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "format/index_file.h"
#include "index/flat_index.h"
#include "index/hnsw_index.h"
#include "index/mutable_flat_index.h"
#include "index/scan_index.h"
#include "index/sparse_index.h"
#include "napi/addon_data.h"
#include "napi/args.h"
#include "napi/errors.h"
#include "napi/id_set_binding.h"
#include "napi/index_answers.h"
#include "napi/index_arguments.h"
#include "napi/promise_task.h"
#include "napi/task_control_binding.h"

namespace nigh::binding {

namespace {

std::shared_ptr<VectorIndex> open_file(const std::string& path, bool mapped, bool verify) {
  const IndexFile file = IndexFile::open(path, mapped ? OpenMode::kMap : OpenMode::kMemory);
  if (mapped && verify) file.verify();
  if (file.header().kind == IndexKind::kSparse) return SparseIndex::open(file);
  if (file.header().kind == IndexKind::kHnsw) return HnswIndex::open(file);
  if (on_products(file.header().metric)) return std::make_shared<MutableFlatIndex>(FlatIndex::open(file), mapped);
  return ScanIndex::open(file);
}

}  // namespace

Napi::Function IndexBinding::define(Napi::Env env) {
  return DefineClass(env, "NativeIndex",
                     {
                         StaticMethod<&IndexBinding::build_flat>("buildFlat"),
                         StaticMethod<&IndexBinding::build_hnsw>("buildHnsw"),
                         StaticMethod<&IndexBinding::build_sparse>("buildSparse"),
                         StaticMethod<&IndexBinding::open>("open"),
                         StaticMethod<&IndexBinding::import_hnswlib>("importHnswlib"),
                         StaticMethod<&IndexBinding::inspect>("inspect"),
                         StaticMethod<&IndexBinding::answer_buffers>("answerBuffers"),
                         InstanceMethod<&IndexBinding::search_sync>("searchSync"),
                         InstanceMethod<&IndexBinding::search>("search"),
                         InstanceMethod<&IndexBinding::search_batch>("searchBatch"),
                         InstanceMethod<&IndexBinding::search_rows>("searchRows"),
                         InstanceMethod<&IndexBinding::add>("add"),
                         InstanceMethod<&IndexBinding::replace>("replace"),
                         InstanceMethod<&IndexBinding::remove>("remove"),
                         InstanceMethod<&IndexBinding::compact>("compact"),
                         InstanceMethod<&IndexBinding::verify>("verify"),
                         InstanceMethod<&IndexBinding::vector>("vector"),
                         InstanceMethod<&IndexBinding::save>("save"),
                         InstanceMethod<&IndexBinding::export_hnswlib>("exportHnswlib"),
                         InstanceMethod<&IndexBinding::close>("close"),
                         InstanceMethod<&IndexBinding::has_changed>("hasChanged"),
                         InstanceAccessor<&IndexBinding::kind>("kind"),
                         InstanceAccessor<&IndexBinding::metric>("metric"),
                         InstanceAccessor<&IndexBinding::dim>("dim"),
                         InstanceAccessor<&IndexBinding::size>("size"),
                         InstanceAccessor<&IndexBinding::memory_bytes>("memoryBytes"),
                         InstanceAccessor<&IndexBinding::read_only>("readOnly"),
                         InstanceAccessor<&IndexBinding::params>("params"),
                     });
}

IndexBinding::IndexBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    if (info.Length() != 1 || !info[0].IsExternal()) wrong_argument("NativeIndex", "one of its static functions");
  });
  index_ = std::move(*info[0].As<Napi::External<std::shared_ptr<VectorIndex>>>().Data());
  account(info.Env(), index_->memory_bytes());
}

IndexBinding::~IndexBinding() { account(Env(), 0); }

Napi::Value IndexBinding::wrap(Napi::Env env, std::shared_ptr<VectorIndex> index) {
  return AddonData::of(env).index_class.New({Napi::External<std::shared_ptr<VectorIndex>>::New(env, &index)});
}

const std::shared_ptr<VectorIndex>& IndexBinding::open_index() const {
  if (!index_) throw Error("CLOSED", "The index was closed.");
  return index_;
}

void IndexBinding::account(Napi::Env env, size_t bytes) {
  const int64_t change = static_cast<int64_t>(bytes) - static_cast<int64_t>(accounted_bytes_);
  accounted_bytes_ = bytes;
  if (change != 0) Napi::MemoryManagement::AdjustExternalMemory(env, change);
}

// buildFlat(data, rows, dim, ids | null, metric, quantization, control | null)
Napi::Value IndexBinding::build_flat(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Metric metric = nigh::binding::metric(info[4]);
    const VectorsView rows = vectors(info[0], info[1], info[2], metric, "data");
    const uint32_t* ids = optional_ids(info[3], rows.rows);
    const Quantization quantization = nigh::binding::quantization(info[5]);
    auto task = make_task(
        TaskControlBinding::control_of(info[6]),
        [rows, ids, metric, quantization](TaskControl& control) -> std::shared_ptr<VectorIndex> {
          control.set_total(rows.rows);
          std::shared_ptr<VectorIndex> index;
          if (on_products(metric)) {
            index = std::make_shared<MutableFlatIndex>(FlatIndex::build(rows.floats(), ids, metric, quantization), false);
          } else {
            index = ScanIndex::build(rows, ids, metric, quantization);
          }
          control.check();
          control.advance(rows.rows);
          return index;
        },
        [](Napi::Env env, std::shared_ptr<VectorIndex> index) { return wrap(env, std::move(index)); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[3]});
  });
}

// buildHnsw(data, rows, dim, ids | null, metric, M, efConstruction, alpha, seed, quantization, calibration data, calibration
// rows,
//           threads, control | null)
Napi::Value IndexBinding::build_hnsw(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Metric metric = nigh::binding::metric(info[4]);
    const VectorsView rows = vectors(info[0], info[1], info[2], metric, "data");
    const uint32_t* ids = optional_ids(info[3], rows.rows);
    HnswParams params;
    params.m = integer(info[5], "M");
    params.ef_construction = integer(info[6], "efConstruction");
    params.alpha = number(info[7], "alpha");
    params.seed = integer(info[8], "seed");
    params.quantization = quantization(info[9]);
    const VectorsView questions = vectors(info[10], info[11], info[2], metric, "calibrationQueries");
    const size_t threads = integer(info[12], "threads");
    auto task = make_task(
        TaskControlBinding::control_of(info[13]),
        [rows, ids, metric, params, questions, threads](TaskControl& control) -> std::shared_ptr<VectorIndex> {
          auto index = HnswIndex::build(rows, ids, metric, params, threads, control, questions);
          control.check();
          return index;
        },
        [](Napi::Env env, std::shared_ptr<VectorIndex> index) { return wrap(env, std::move(index)); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[3], info[10]});
  });
}

// buildSparse(offsets, columns, values, cols, ids | null, metric, control | null)
Napi::Value IndexBinding::build_sparse(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const CsrView rows = csr(info[0], info[1], info[2], info[3], "rows");
    const uint32_t* ids = optional_ids(info[4], rows.rows());
    const Metric metric = nigh::binding::metric(info[5]);
    auto task = make_task(
        TaskControlBinding::control_of(info[6]),
        [rows, ids, metric](TaskControl& control) -> std::shared_ptr<VectorIndex> {
          check_csr(rows, "rows");
          control.set_total(rows.rows());
          auto index = SparseIndex::build(rows, ids, metric);
          control.check();
          control.advance(rows.rows());
          return index;
        },
        [](Napi::Env env, std::shared_ptr<VectorIndex> index) { return wrap(env, std::move(index)); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[1], info[2], info[4]});
  });
}

// open(path, mapped, verify)
Napi::Value IndexBinding::open(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto task = make_task(
        std::make_shared<TaskControl>(),
        [path = string(info[0], "path"), mapped = boolean(info[1], "mapped"), verify = boolean(info[2], "verify")](TaskControl&) {
          return open_file(path, mapped, verify);
        },
        [](Napi::Env env, std::shared_ptr<VectorIndex> index) { return wrap(env, std::move(index)); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {});
  });
}

// importHnswlib(path, metric, dim, rebuild, alpha, seed, quantization, threads, control | null)
Napi::Value IndexBinding::import_hnswlib(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Metric metric = nigh::binding::metric(info[1]);
    HnswParams settings;
    settings.alpha = number(info[4], "alpha");
    settings.seed = integer(info[5], "seed");
    settings.quantization = quantization(info[6]);
    auto task = make_task(
        TaskControlBinding::control_of(info[8]),
        [path = string(info[0], "path"), metric, dim = integer(info[2], "dim"), rebuild = boolean(info[3], "rebuild"), settings,
         threads = integer(info[7], "threads")](TaskControl& control) -> std::shared_ptr<VectorIndex> {
          auto index = HnswIndex::import_hnswlib(path, metric, dim, rebuild, settings, threads, control);
          control.check();
          return index;
        },
        [](Napi::Env env, std::shared_ptr<VectorIndex> index) { return wrap(env, std::move(index)); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {});
  });
}

// inspect(path)
Napi::Value IndexBinding::inspect(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto task = make_task(
        std::make_shared<TaskControl>(), [path = string(info[0], "path")](TaskControl&) { return IndexFile::inspect(path); },
        [](Napi::Env env, const IndexFile& file) { return inspection(env, file); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {});
  });
}

// answerBuffers(k): where searchSync leaves up to k neighbours
Napi::Value IndexBinding::answer_buffers(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    AddonData& addon = AddonData::of(info.Env());
    addon.reserve_answer(info.Env(), integer(info[0], "k"));
    return addon.answer.object.Value();
  });
}

// searchSync(query, settings, filter | null): how many neighbours lie in the answer buffers, or −1 − n
// where they have no room for the n neighbours found.
Napi::Value IndexBinding::search_sync(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const VectorIndex& index = *open_index();
    const std::span<const uint8_t> query = one_vector(info[0], index, "query");
    const auto filter = IdSetBinding::set_of(info[2]);
    const SearchParams params = search_params(info[1], filter.get());
    AnswerBuffers& answer = AddonData::of(info.Env()).answer;
    SearchStats stats;
    const std::vector<Neighbor> found = index.search(query.data(), params, stats);
    if (answer.stats.empty() || found.size() > answer.ids.size()) {
      return Napi::Number::New(info.Env(), -1.0 - static_cast<double>(found.size()));
    }
    for (size_t i = 0; i < found.size(); ++i) {
      answer.ids[i] = found[i].id;
      answer.distances[i] = found[i].distance;
    }
    answer.stats[0] = static_cast<double>(stats.plan);
    answer.stats[1] = static_cast<double>(stats.visited);
    answer.stats[2] = static_cast<double>(stats.distances);
    return Napi::Number::New(info.Env(), static_cast<double>(found.size()));
  });
}

// search(query, settings, filter | null, control | null): a packed answer. The query and the settings are copied.
Napi::Value IndexBinding::search(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::shared_ptr<VectorIndex>& index = open_index();
    const std::span<const uint8_t> query = one_vector(info[0], *index, "query");
    auto filter = IdSetBinding::set_of(info[2]);
    const SearchParams params = search_params(info[1], filter.get());
    auto task = make_task(
        TaskControlBinding::control_of(info[3]),
        [index, params, filter = std::move(filter),
         query = std::vector<uint8_t>(query.begin(), query.end())](TaskControl& control) {
          Answer answer;
          answer.neighbors = index->search(query.data(), params, answer.stats);
          control.check();
          return answer;
        },
        [](Napi::Env env, const Answer& answer) { return packed_answer(env, answer); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kShort, std::move(task), {});
  });
}

// searchBatch(data, rows, dim, settings, filter | null, ids, distances, counts, threads, control | null)
Napi::Value IndexBinding::search_batch(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::shared_ptr<VectorIndex>& index = open_index();
    const VectorsView queries = vectors(info[0], info[1], info[2], index->metric(), "queries");
    require_dim("queries", queries.dim, index->dim());
    auto filter = IdSetBinding::set_of(info[4]);
    const SearchParams params = search_params(info[3], filter.get());
    const std::span<uint32_t> ids = typed_array<uint32_t>(info[5], "ids", queries.rows * params.k);
    const std::span<float> distances = typed_array<float>(info[6], "distances", queries.rows * params.k);
    const std::span<uint32_t> counts = typed_array<uint32_t>(info[7], "counts", queries.rows);
    const size_t threads = integer(info[8], "threads");
    auto task = make_task(
        TaskControlBinding::control_of(info[9]),
        [index, queries, params, filter = std::move(filter), ids, distances, counts, threads](TaskControl& control) {
          SearchStats stats;
          index->search_batch(queries, params, threads, ids.data(), distances.data(), counts.data(), stats, control);
          control.check();
          return stats;
        },
        [](Napi::Env env, const SearchStats& stats) { return stats_object(env, stats); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[5], info[6], info[7]});
  });
}

// searchRows(offsets, columns, values, cols, settings, filter | null, ids, distances, counts, threads, control | null)
Napi::Value IndexBinding::search_rows(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto index = std::dynamic_pointer_cast<SparseIndex>(open_index());
    if (!index) throw Error("UNSUPPORTED", "Only a sparse index takes sparse queries.");
    const CsrView queries = csr(info[0], info[1], info[2], info[3], "queries");
    require_dim("queries", queries.cols, index->dim());
    auto filter = IdSetBinding::set_of(info[5]);
    const SearchParams params = search_params(info[4], filter.get());
    const std::span<uint32_t> ids = typed_array<uint32_t>(info[6], "ids", queries.rows() * params.k);
    const std::span<float> distances = typed_array<float>(info[7], "distances", queries.rows() * params.k);
    const std::span<uint32_t> counts = typed_array<uint32_t>(info[8], "counts", queries.rows());
    const size_t threads = integer(info[9], "threads");
    auto task = make_task(
        TaskControlBinding::control_of(info[10]),
        [index, queries, params, filter = std::move(filter), ids, distances, counts, threads](TaskControl& control) {
          check_csr(queries, "queries");
          SearchStats stats;
          index->search_rows(queries, params, threads, ids.data(), distances.data(), counts.data(), stats, control);
          control.check();
          return stats;
        },
        [](Napi::Env env, const SearchStats& stats) { return stats_object(env, stats); });
    return AddonData::of(info.Env())
        .mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[1], info[2], info[6], info[7], info[8]});
  });
}

// vector(id, out): whether the id is known
Napi::Value IndexBinding::vector(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const VectorIndex& index = *open_index();
    const uint32_t id = integer32(info[0], "id");
    const std::span<uint8_t> out = one_vector(info[1], index, "out");
    return Napi::Boolean::New(info.Env(), index.vector(id, out.data()));
  });
}

// save(path)
Napi::Value IndexBinding::save(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto task = make_task(
        std::make_shared<TaskControl>(),
        [index = open_index(), path = string(info[0], "path")](TaskControl&) {
          index->save(path);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {});
  });
}

// exportHnswlib(path, control | null)
Napi::Value IndexBinding::export_hnswlib(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto index = std::dynamic_pointer_cast<HnswIndex>(open_index());
    if (!index) throw Error("UNSUPPORTED", "Only an hnsw index can be written for hnswlib.");
    auto task = make_task(
        TaskControlBinding::control_of(info[1]),
        [index, path = string(info[0], "path")](TaskControl& control) {
          index->export_hnswlib(path, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {});
  });
}

void IndexBinding::close(const Napi::CallbackInfo& info) {
  index_.reset();
  account(info.Env(), 0);
}

Napi::Value IndexBinding::kind(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::String::New(info.Env(), open_index()->kind()); });
}

Napi::Value IndexBinding::metric(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::String::New(info.Env(), metric_name(open_index()->metric())); });
}

Napi::Value IndexBinding::dim(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), static_cast<double>(open_index()->dim())); });
}

Napi::Value IndexBinding::size(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), static_cast<double>(open_index()->size())); });
}

Napi::Value IndexBinding::memory_bytes(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), static_cast<double>(open_index()->memory_bytes())); });
}

void IndexBinding::has_changed(const Napi::CallbackInfo& info) {
  if (index_) account(info.Env(), index_->memory_bytes());
}

// How an hnsw index was built; null for others.
Napi::Value IndexBinding::params(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto* index = dynamic_cast<const HnswIndex*>(open_index().get());
    if (index == nullptr) return info.Env().Null();
    const HnswParams& params = index->params();
    Napi::Object out = Napi::Object::New(info.Env());
    out.Set("M", static_cast<double>(params.m));
    out.Set("efConstruction", static_cast<double>(params.ef_construction));
    out.Set("alpha", params.alpha);
    out.Set("seed", static_cast<double>(params.seed));
    out.Set("quantization", quantization_name(params.quantization));
    return out;
  });
}

}  // namespace nigh::binding
