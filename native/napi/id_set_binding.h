// IdSet as JavaScript sees it: immutable, combined by and/or/not.
#pragma once

#include <napi.h>

#include <memory>

#include "base/id_set.h"

namespace nigh::binding {

class IdSetBinding final : public Napi::ObjectWrap<IdSetBinding> {
 public:
  static Napi::Function define(Napi::Env env);

  /// Only from native code, with a pointer to the shared set; JavaScript uses the static functions.
  explicit IdSetBinding(const Napi::CallbackInfo& info);
  ~IdSetBinding() override;

  /// The set inside an IdSet object; null for null. Throws INVALID_ARGUMENT for anything else.
  static std::shared_ptr<const IdSet> set_of(const Napi::Value& value);

 private:
  static Napi::Value allow(const Napi::CallbackInfo& info);
  static Napi::Value deny(const Napi::CallbackInfo& info);
  static Napi::Value wrap(Napi::Env env, IdSet set);

  Napi::Value intersection(const Napi::CallbackInfo& info);
  Napi::Value union_with(const Napi::CallbackInfo& info);
  Napi::Value complement(const Napi::CallbackInfo& info);
  Napi::Value has(const Napi::CallbackInfo& info);
  Napi::Value listed_ids(const Napi::CallbackInfo& info);
  Napi::Value listed(const Napi::CallbackInfo& info);
  Napi::Value is_complement(const Napi::CallbackInfo& info);

  std::shared_ptr<const IdSet> set_;
  int64_t bytes_ = 0;  // what the garbage collector was told: a request may make a set of its own
};

}  // namespace nigh::binding
