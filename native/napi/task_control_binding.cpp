#include "napi/task_control_binding.h"

#include "napi/args.h"

namespace nigh::binding {

namespace {

constexpr napi_type_tag kTag = {0x6e696768'7461736bULL, 0x636f6e74'726f6c01ULL};

}  // namespace

Napi::Function TaskControlBinding::define(Napi::Env env) {
  return DefineClass(env, "TaskControl",
                     {
                         InstanceMethod<&TaskControlBinding::cancel>("cancel"),
                         InstanceAccessor<&TaskControlBinding::done>("done"),
                         InstanceAccessor<&TaskControlBinding::total>("total"),
                     });
}

TaskControlBinding::TaskControlBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

std::shared_ptr<TaskControl> TaskControlBinding::control_of(const Napi::Value& value) {
  if (value.IsNull() || value.IsUndefined()) return std::make_shared<TaskControl>();
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag)) wrong_argument("control", "a TaskControl or null");
  return Unwrap(value.As<Napi::Object>())->control_;
}

void TaskControlBinding::cancel(const Napi::CallbackInfo&) { control_->cancel(); }

Napi::Value TaskControlBinding::done(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(control_->done()));
}

Napi::Value TaskControlBinding::total(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(control_->total()));
}

}  // namespace nigh::binding
