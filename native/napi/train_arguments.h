// The arguments of a training function, read in their order, and its task: arrays that were read stay alive until the promise has
// settled.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <utility>

#include "napi/addon_data.h"
#include "napi/args.h"
#include "napi/promise_task.h"
#include "napi/task_control_binding.h"

namespace nigh::binding {

class TrainArguments {
 public:
  explicit TrainArguments(const Napi::CallbackInfo& info) : info_(info), kept_(Napi::Array::New(info.Env())) {}

  /// Offsets, columns, values, cols. Only the lengths are looked at: the task calls check_csr.
  CsrView csr(const char* name) {
    const CsrView view = binding::csr(info_[next_], info_[next_ + 1], info_[next_ + 2], info_[next_ + 3], name);
    for (size_t i = 0; i < 3; ++i) keep(info_[next_ + i]);
    next_ += 4;
    return view;
  }

  /// Data, rows, dim.
  MatrixView<const float> matrix(const char* name) {
    const MatrixView<const float> view = binding::matrix(info_[next_], info_[next_ + 1], info_[next_ + 2], name);
    keep(info_[next_]);
    next_ += 3;
    return view;
  }

  /// The same, or null for the data, whose rows and dim are then not looked at.
  std::optional<MatrixView<const float>> optional_matrix(const char* name) {
    if (!info_[next_].IsNull()) return matrix(name);
    skip(3);
    return std::nullopt;
  }

  void skip(size_t arguments) { next_ += arguments; }

  /// Exactly this many float32 values.
  float* floats(const char* name, size_t size) {
    const Napi::Value value = info_[next_++];
    float* data = typed_array<float>(value, name, size).data();
    keep(value);
    return data;
  }

  /// Null, or exactly this many.
  float* optional_floats(const char* name, size_t size) {
    if (!info_[next_].IsNull()) return floats(name, size);
    ++next_;
    return nullptr;
  }

  size_t integer(const char* name) { return integer32(info_[next_++], name); }
  size_t positive(const char* name) {
    const size_t value = integer(name);
    if (value == 0) wrong_argument(name, "at least 1");
    return value;
  }
  uint64_t seed() { return binding::integer(info_[next_++], "seed"); }
  float number(const char* name) { return binding::number(info_[next_++], name); }
  bool flag(const char* name) { return boolean(info_[next_++], name); }

  /// Reads the last argument, control | null, and queues `run(control)`.
  template <class Run>
  Napi::Value start(Run run) {
    return start(
        [run](TaskControl& control) {
          run(control);
          return true;
        },
        [](Napi::Env env, bool) -> Napi::Value { return env.Undefined(); });
  }

  /// The same, where `convert(env, what run gave)` makes the value of the promise.
  template <class Run, class Convert>
  Napi::Value start(Run run, Convert convert) {
    auto task = make_task(TaskControlBinding::control_of(info_[next_]), std::move(run), std::move(convert));
    return AddonData::of(info_.Env()).mailbox->start(TaskClass::kLong, std::move(task), {kept_});
  }

 private:
  void keep(const Napi::Value& value) { kept_.Set(kept_.Length(), value); }

  const Napi::CallbackInfo& info_;
  Napi::Array kept_;
  size_t next_ = 0;
};

}  // namespace nigh::binding
