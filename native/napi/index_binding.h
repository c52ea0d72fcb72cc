// The one JavaScript class over every native vector index.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "index/mutable_index.h"
#include "index/vector_index.h"

namespace nigh::binding {

class IndexBinding final : public Napi::ObjectWrap<IndexBinding> {
 public:
  static Napi::Function define(Napi::Env env);

  /// Only from native code, with a pointer to the shared index; JavaScript uses the static functions.
  explicit IndexBinding(const Napi::CallbackInfo& info);
  ~IndexBinding() override;

 private:
  static Napi::Value build_flat(const Napi::CallbackInfo& info);
  static Napi::Value build_hnsw(const Napi::CallbackInfo& info);
  static Napi::Value build_sparse(const Napi::CallbackInfo& info);
  static Napi::Value open(const Napi::CallbackInfo& info);
  static Napi::Value import_hnswlib(const Napi::CallbackInfo& info);
  static Napi::Value inspect(const Napi::CallbackInfo& info);
  static Napi::Value answer_buffers(const Napi::CallbackInfo& info);
  static Napi::Value wrap(Napi::Env env, std::shared_ptr<VectorIndex> index);

  Napi::Value search_sync(const Napi::CallbackInfo& info);
  Napi::Value search(const Napi::CallbackInfo& info);
  Napi::Value search_batch(const Napi::CallbackInfo& info);
  Napi::Value search_rows(const Napi::CallbackInfo& info);
  Napi::Value add(const Napi::CallbackInfo& info);
  Napi::Value replace(const Napi::CallbackInfo& info);
  Napi::Value remove(const Napi::CallbackInfo& info);
  Napi::Value compact(const Napi::CallbackInfo& info);
  Napi::Value verify(const Napi::CallbackInfo& info);
  Napi::Value vector(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value export_hnswlib(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void has_changed(const Napi::CallbackInfo& info);

  Napi::Value kind(const Napi::CallbackInfo& info);
  Napi::Value metric(const Napi::CallbackInfo& info);
  Napi::Value dim(const Napi::CallbackInfo& info);
  Napi::Value size(const Napi::CallbackInfo& info);
  Napi::Value memory_bytes(const Napi::CallbackInfo& info);
  Napi::Value read_only(const Napi::CallbackInfo& info);
  Napi::Value params(const Napi::CallbackInfo& info);

  /// The index, or CLOSED.
  const std::shared_ptr<VectorIndex>& open_index() const;
  /// The same as one that can change, or UNSUPPORTED.
  std::shared_ptr<MutableIndex> mutable_index() const;
  /// Tells the garbage collector how much memory hangs on this object.
  void account(Napi::Env env, size_t bytes);

  std::shared_ptr<VectorIndex> index_;  // null once closed; tasks under way hold their own share
  size_t accounted_bytes_ = 0;
};

}  // namespace nigh::binding
