// What the addon keeps for each environment (the main thread and every worker has its own).
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "napi/promise_task.h"

namespace nigh::binding {

/// Where searchSync leaves its answer, so that a call creates no objects: typed arrays that TypeScript sees too and copies
/// from before the next call can come. One search at a time runs on a JavaScript thread.
struct AnswerBuffers {
  Napi::Reference<Napi::Object> object;  // { ids, distances, stats }, the same object until the buffers grow
  std::span<uint32_t> ids;
  std::span<float> distances;
  std::span<double> stats;  // plan, visited, distances
};

struct AddonData {
  std::shared_ptr<TaskMailbox> mailbox;
  Napi::FunctionReference index_class;
  Napi::FunctionReference id_set_class;
  Napi::FunctionReference array_buffer_class;  // JavaScript's own
  AnswerBuffers answer;

  static AddonData& of(Napi::Env env) { return *env.GetInstanceData<AddonData>(); }

  /// Makes room for k neighbours. Ends with `answer.object` naming the buffers in use. Throws OUT_OF_MEMORY.
  void reserve_answer(Napi::Env env, size_t k);
};

}  // namespace nigh::binding
