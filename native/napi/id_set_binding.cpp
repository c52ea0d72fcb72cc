#include "napi/id_set_binding.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "napi/addon_data.h"
#include "napi/args.h"
#include "napi/errors.h"
#include "napi/new_arrays.h"

namespace nigh::binding {

namespace {

constexpr napi_type_tag kTag = {0x6e696768'69647365ULL, 0x74000000'00000001ULL};

}  // namespace

Napi::Function IdSetBinding::define(Napi::Env env) {
  return DefineClass(env, "IdSet",
                     {
                         StaticMethod<&IdSetBinding::allow>("allow"),
                         StaticMethod<&IdSetBinding::deny>("deny"),
                         InstanceMethod<&IdSetBinding::intersection>("and"),
                         InstanceMethod<&IdSetBinding::union_with>("or"),
                         InstanceMethod<&IdSetBinding::complement>("not"),
                         InstanceMethod<&IdSetBinding::has>("has"),
                         InstanceMethod<&IdSetBinding::listed_ids>("listedIds"),
                         InstanceAccessor<&IdSetBinding::listed>("listed"),
                         InstanceAccessor<&IdSetBinding::is_complement>("complement"),
                     });
}

IdSetBinding::IdSetBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    if (info.Length() != 1 || !info[0].IsExternal()) wrong_argument("IdSet", "IdSet.allow(ids) or IdSet.deny(ids)");
  });
  set_ = std::make_shared<const IdSet>(std::move(*info[0].As<Napi::External<IdSet>>().Data()));
  info.This().As<Napi::Object>().TypeTag(&kTag);
  bytes_ = static_cast<int64_t>(set_->memory_bytes());
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes_);
}

IdSetBinding::~IdSetBinding() {
  if (bytes_ != 0) Napi::MemoryManagement::AdjustExternalMemory(Env(), -bytes_);
}

std::shared_ptr<const IdSet> IdSetBinding::set_of(const Napi::Value& value) {
  if (value.IsNull()) return nullptr;
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag)) wrong_argument("filter", "an IdSet or null");
  return Unwrap(value.As<Napi::Object>())->set_;
}

Napi::Value IdSetBinding::wrap(Napi::Env env, IdSet set) {
  return AddonData::of(env).id_set_class.New({Napi::External<IdSet>::New(env, &set)});
}

Napi::Value IdSetBinding::allow(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return wrap(info.Env(), IdSet::allow(typed_array<uint32_t>(info[0], "ids"))); });
}

Napi::Value IdSetBinding::deny(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return wrap(info.Env(), IdSet::deny(typed_array<uint32_t>(info[0], "ids"))); });
}

Napi::Value IdSetBinding::intersection(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto other = set_of(info[0]);
    if (!other) wrong_argument("other", "an IdSet");
    return wrap(info.Env(), *set_ & *other);
  });
}

Napi::Value IdSetBinding::union_with(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto other = set_of(info[0]);
    if (!other) wrong_argument("other", "an IdSet");
    return wrap(info.Env(), *set_ | *other);
  });
}

Napi::Value IdSetBinding::complement(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return wrap(info.Env(), ~*set_); });
}

Napi::Value IdSetBinding::has(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Boolean::New(info.Env(), set_->contains(integer32(info[0], "id"))); });
}

Napi::Value IdSetBinding::listed_ids(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::vector<uint32_t> ids = set_->listed_ids();
    auto out = new_typed_array<uint32_t>(info.Env(), ids.size());
    std::copy(ids.begin(), ids.end(), out.Data());
    return out;
  });
}

Napi::Value IdSetBinding::listed(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(set_->listed()));
}

Napi::Value IdSetBinding::is_complement(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), set_->complement());
}

}  // namespace nigh::binding
