// TaskControl as JavaScript sees it: cancel() and the progress of a task.
#pragma once

#include <napi.h>

#include <memory>

#include "base/task_control.h"

namespace nigh::binding {

class TaskControlBinding final : public Napi::ObjectWrap<TaskControlBinding> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit TaskControlBinding(const Napi::CallbackInfo& info);

  /// The control inside a TaskControl object, or a fresh one for null. Throws INVALID_ARGUMENT for anything else.
  static std::shared_ptr<TaskControl> control_of(const Napi::Value& value);

 private:
  void cancel(const Napi::CallbackInfo& info);
  Napi::Value done(const Napi::CallbackInfo& info);
  Napi::Value total(const Napi::CallbackInfo& info);

  std::shared_ptr<TaskControl> control_ = std::make_shared<TaskControl>();
};

}  // namespace nigh::binding
