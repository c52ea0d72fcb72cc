// The methods of NativeIndex that change an index, and verify. They wait for each other, so they run as long tasks.
#include <memory>
#include <span>

#include "index/mutable_index.h"
#include "napi/addon_data.h"
#include "napi/args.h"
#include "napi/errors.h"
#include "napi/index_arguments.h"
#include "napi/index_binding.h"
#include "napi/promise_task.h"
#include "napi/task_control_binding.h"

namespace nigh::binding {

std::shared_ptr<MutableIndex> IndexBinding::mutable_index() const {
  auto index = std::dynamic_pointer_cast<MutableIndex>(open_index());
  if (!index) throw Error("UNSUPPORTED", "An index of this kind cannot change.");
  return index;
}

// add(data, rows, dim, ids, threads, control | null)
Napi::Value IndexBinding::add(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto index = mutable_index();
    const VectorsView rows = vectors(info[0], info[1], info[2], index->metric(), "data");
    require_dim("data", rows.dim, index->dim());
    const std::span<const uint32_t> ids = typed_array<uint32_t>(info[3], "ids", rows.rows);
    const size_t threads = integer(info[4], "threads");
    auto task = make_task(
        TaskControlBinding::control_of(info[5]),
        [index = std::move(index), rows, ids, threads](TaskControl& control) {
          index->add(rows, ids.data(), threads, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[3]});
  });
}

// replace(data, rows, dim, ids, addMissing, threads, control | null)
Napi::Value IndexBinding::replace(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto index = mutable_index();
    const VectorsView rows = vectors(info[0], info[1], info[2], index->metric(), "data");
    require_dim("data", rows.dim, index->dim());
    const std::span<const uint32_t> ids = typed_array<uint32_t>(info[3], "ids", rows.rows);
    const bool add_missing = boolean(info[4], "addMissing");
    const size_t threads = integer(info[5], "threads");
    auto task = make_task(
        TaskControlBinding::control_of(info[6]),
        [index = std::move(index), rows, ids, add_missing, threads](TaskControl& control) {
          index->replace(rows, ids.data(), add_missing, threads, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {info[0], info[3]});
  });
}

// remove(ids, ignoreMissing, threads, control | null): how many there were
Napi::Value IndexBinding::remove(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::span<const uint32_t> ids = typed_array<uint32_t>(info[0], "ids");
    const bool ignore_missing = boolean(info[1], "ignoreMissing");
    const size_t threads = integer(info[2], "threads");
    auto task = make_task(
        TaskControlBinding::control_of(info[3]),
        [index = mutable_index(), ids, ignore_missing, threads](TaskControl& control) {
          return index->remove(ids, ignore_missing, threads, control);
        },
        [](Napi::Env env, size_t removed) { return Napi::Number::New(env, static_cast<double>(removed)); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {info[0]});
  });
}

// compact(threads, control | null)
Napi::Value IndexBinding::compact(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const size_t threads = integer(info[0], "threads");
    auto task = make_task(
        TaskControlBinding::control_of(info[1]),
        [index = mutable_index(), threads](TaskControl& control) {
          index->compact(threads, control);
          return true;
        },
        [](Napi::Env env, bool) { return env.Undefined(); });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {});
  });
}

// verify(repair, efSearch, threads, control | null): { live, removed, dangling, unreachable, notFound, repaired }
Napi::Value IndexBinding::verify(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const bool repair = boolean(info[0], "repair");
    const size_t ef_search = integer(info[1], "efSearch");
    const size_t threads = integer(info[2], "threads");
    auto task = make_task(
        TaskControlBinding::control_of(info[3]),
        [index = mutable_index(), repair, ef_search, threads](TaskControl& control) {
          return index->verify(repair, ef_search, threads, control);
        },
        [](Napi::Env env, const VerifyReport& report) {
          Napi::Object out = Napi::Object::New(env);
          out.Set("live", static_cast<double>(report.live));
          out.Set("removed", static_cast<double>(report.removed));
          out.Set("dangling", static_cast<double>(report.dangling));
          out.Set("unreachable", static_cast<double>(report.unreachable));
          out.Set("notFound", static_cast<double>(report.not_found));
          out.Set("repaired", static_cast<double>(report.repaired));
          return out;
        });
    return AddonData::of(info.Env()).mailbox->start(TaskClass::kLong, std::move(task), {});
  });
}

Napi::Value IndexBinding::read_only(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto* index = dynamic_cast<const MutableIndex*>(open_index().get());
    return Napi::Boolean::New(info.Env(), index == nullptr || index->read_only());
  });
}

}  // namespace nigh::binding
