// What the addon exports; each thing has a file of its own.
#include <napi.h>

#include "napi/addon_data.h"
#include "napi/choice_binding.h"
#include "napi/clustering_binding.h"
#include "napi/errors.h"
#include "napi/id_set_binding.h"
#include "napi/index_binding.h"
#include "napi/knn_binding.h"
#include "napi/linear_binding.h"
#include "napi/processor.h"
#include "napi/rating_binding.h"
#include "napi/simd_binding.h"
#include "napi/task_control_binding.h"
#include "napi/train_binding.h"

namespace {

using namespace nigh::binding;

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  if (!processor_suffices()) {
    throw to_js_error(env, {"CPU_UNSUPPORTED", "This processor is older than x86-64-v2: nigh needs SSE4.2 and POPCNT."});
  }
  auto* data = new AddonData();
  env.SetInstanceData(data);
  data->mailbox = TaskMailbox::create(env);
  data->index_class = Napi::Persistent(IndexBinding::define(env));
  data->id_set_class = Napi::Persistent(IdSetBinding::define(env));
  data->array_buffer_class = Napi::Persistent(env.Global().Get("ArrayBuffer").As<Napi::Function>());
  exports.Set("NativeIndex", data->index_class.Value());
  exports.Set("IdSet", data->id_set_class.Value());
  exports.Set("TaskControl", TaskControlBinding::define(env));
  exports.Set("simd", Napi::Function::New<simd>(env, "simd"));
  export_training(env, exports);
  export_choice_training(env, exports);
  export_linear_training(env, exports);
  export_rating_training(env, exports);
  export_knn(env, exports);
  export_clustering(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(nigh, initialize)
