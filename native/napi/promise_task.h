// Native work behind a JavaScript promise.
//
// A task runs on a pool thread (task_threads.h) and settles its promise on the JavaScript thread that started it. Nothing that
// it throws is lost: the code of a nigh::Error survives (node-addon-api's AsyncWorker would keep the message alone). One
// thread-safe function an environment serves all its tasks, so that starting one is cheap.
//
// A task object holds no JavaScript values, because the last owner to let go of it may be a pool thread. The promise and the
// references to input and output arrays are held beside it, by the mailbox, and are only touched on the JavaScript thread.
//
// When an environment ends (a worker is terminated, the process exits) with tasks under way: those not begun never begin,
// those running are cancelled and waited for, since they read arrays that die with the environment; their promises are dropped.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/task_control.h"
#include "napi/errors.h"
#include "napi/task_threads.h"

namespace nigh::binding {

class PromiseTask {
 public:
  explicit PromiseTask(std::shared_ptr<TaskControl> control) : control_(std::move(control)) {}
  virtual ~PromiseTask() = default;

  const TaskControl& control() const { return *control_; }

 protected:
  /// On a pool thread; may throw.
  virtual void run(TaskControl& control) = 0;
  /// On the JavaScript thread, after run() returned: the value of the promise.
  virtual Napi::Value result(Napi::Env env) = 0;

 private:
  friend class TaskMailbox;
  enum class State { kQueued, kRunning, kAbandoned };

  std::shared_ptr<TaskControl> control_;
  State state_ = State::kQueued;  // guarded by the mailbox
  Failure failure_;               // code is null after success
  PromiseTask* next_finished_ = nullptr;
};

/// One an environment: starts tasks and settles their promises.
class TaskMailbox : public std::enable_shared_from_this<TaskMailbox> {
 public:
  static std::shared_ptr<TaskMailbox> create(Napi::Env env);

  /// Queues the task. `kept` stay alive, and stay where they are, until the promise has settled.
  Napi::Value start(TaskClass kind, std::shared_ptr<PromiseTask> task, std::initializer_list<Napi::Value> kept);

 private:
  struct Pending {
    std::shared_ptr<PromiseTask> task;
    napi_deferred deferred = nullptr;
    std::vector<napi_ref> kept;
  };

  explicit TaskMailbox(napi_env env) : env_(env) {}
  void execute(PromiseTask& task);
  void deliver();
  void settle(Pending& pending);
  void release(Pending& pending);
  void tear_down();

  // JavaScript thread only.
  napi_env env_;
  std::unordered_map<const PromiseTask*, Pending> pending_;

  std::mutex mutex_;  // guards all below, and the state of every task
  std::condition_variable idle_;
  napi_threadsafe_function wake_ = nullptr;
  PromiseTask* first_finished_ = nullptr;  // a list through the tasks: one that has finished needs no memory to say so
  PromiseTask* last_finished_ = nullptr;   // of no meaning while there is no first
  size_t running_ = 0;
  bool closed_ = false;
};

namespace detail {

template <class Run, class Convert>
class CallableTask final : public PromiseTask {
 public:
  using Result = std::invoke_result_t<Run&, TaskControl&>;

  CallableTask(std::shared_ptr<TaskControl> control, Run run, Convert convert)
      : PromiseTask(std::move(control)), run_(std::move(run)), convert_(std::move(convert)) {}

 private:
  void run(TaskControl& control) override { result_.emplace(run_(control)); }
  Napi::Value result(Napi::Env env) override { return convert_(env, std::move(*result_)); }

  Run run_;
  Convert convert_;
  std::optional<Result> result_;
};

}  // namespace detail

/// A task of two callables: `run(control)` computes on a pool thread, `convert(env, result)` makes the promise's value. Neither
/// may capture JavaScript values.
template <class Run, class Convert>
std::shared_ptr<PromiseTask> make_task(std::shared_ptr<TaskControl> control, Run run, Convert convert) {
  return std::make_shared<detail::CallableTask<Run, Convert>>(std::move(control), std::move(run), std::move(convert));
}

}  // namespace nigh::binding
