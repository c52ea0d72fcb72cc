#include "napi/promise_task.h"

#include <utility>

namespace nigh::binding {

std::shared_ptr<TaskMailbox> TaskMailbox::create(Napi::Env env) {
  const std::shared_ptr<TaskMailbox> mailbox(new TaskMailbox(env));
  // The thread-safe function and the hook below live as long as the environment and share the ownership of the mailbox.
  auto* owner = new std::shared_ptr<TaskMailbox>(mailbox);
  const auto on_wake = [](napi_env wake_env, napi_value, void* context, void*) {
    if (wake_env != nullptr) (*static_cast<std::shared_ptr<TaskMailbox>*>(context))->deliver();
  };
  const auto on_end = [](napi_env, void*, void* context) { delete static_cast<std::shared_ptr<TaskMailbox>*>(context); };
  napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "nigh"), 0, 1, nullptr,
                                                       on_end, owner, on_wake, &mailbox->wake_);
  if (status != napi_ok) {
    delete owner;
    throw Napi::Error::New(env);
  }
  napi_unref_threadsafe_function(env, mailbox->wake_);
  // Hooks run last in, first out: this one before the thread-safe function's own, after which waking would touch freed memory.
  const auto on_teardown = [](void* raw) {
    auto* hook_owner = static_cast<std::shared_ptr<TaskMailbox>*>(raw);
    (*hook_owner)->tear_down();
    delete hook_owner;
  };
  napi_add_env_cleanup_hook(env, on_teardown, new std::shared_ptr<TaskMailbox>(mailbox));
  return mailbox;
}

Napi::Value TaskMailbox::start(TaskClass kind, std::shared_ptr<PromiseTask> task, std::initializer_list<Napi::Value> kept) {
  const Napi::Env env(env_);
  Pending entry;
  entry.task = task;
  napi_value promise = nullptr;
  if (napi_create_promise(env_, &entry.deferred, &promise) != napi_ok) throw Napi::Error::New(env);
  entry.kept.reserve(kept.size());
  for (const Napi::Value& value : kept) {
    if (!value.IsObject()) continue;
    napi_ref reference = nullptr;
    if (napi_create_reference(env_, value, 1, &reference) != napi_ok) {
      const Napi::Error error = Napi::Error::New(env);
      release(entry);
      throw error;
    }
    entry.kept.push_back(reference);
  }
  const PromiseTask* key = task.get();
  const auto place = pending_.emplace(key, std::move(entry)).first;
  try {
    threads_for(kind).submit([self = shared_from_this(), task = std::move(task)] { self->execute(*task); });
  } catch (...) {
    release(place->second);
    pending_.erase(place);
    throw;
  }
  // The environment stays alive for as long as a promise is open.
  if (pending_.size() == 1) napi_ref_threadsafe_function(env_, wake_);
  return Napi::Value(env_, promise);
}

void TaskMailbox::execute(PromiseTask& task) {
  {
    const std::lock_guard lock(mutex_);
    if (task.state_ == PromiseTask::State::kAbandoned) return;
    task.state_ = PromiseTask::State::kRunning;
    ++running_;
  }
  try {
    task.control_->check();
    task.run(*task.control_);
  } catch (...) {
    task.failure_ = failure_of(std::current_exception());
  }
  const std::lock_guard lock(mutex_);
  --running_;
  if (closed_) {
    idle_.notify_all();
    return;
  }
  const bool first = first_finished_ == nullptr;
  (first ? first_finished_ : last_finished_->next_finished_) = &task;
  last_finished_ = &task;
  // One message wakes the JavaScript thread for all that finish until it looks. Under the lock, so that the environment cannot
  // end meanwhile; the queue has no limit, so the call does not wait.
  if (first) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

void TaskMailbox::deliver() {
  PromiseTask* task = nullptr;
  {
    const std::lock_guard lock(mutex_);
    task = std::exchange(first_finished_, nullptr);
  }
  while (task != nullptr) {
    auto node = pending_.extract(task);
    task = task->next_finished_;
    if (!node.empty()) settle(node.mapped());
  }
  if (pending_.empty() && !closed_) napi_unref_threadsafe_function(env_, wake_);
}

void TaskMailbox::settle(Pending& pending) {
  const Napi::HandleScope scope(env_);
  PromiseTask& task = *pending.task;
  napi_value value = nullptr;
  bool failed = task.failure_.code != nullptr;
  try {
    if (!failed) {
      try {
        value = task.result(env_);
      } catch (const Napi::Error& error) {
        failed = true;
        value = error.Value();
      } catch (...) {
        failed = true;
        task.failure_ = failure_of(std::current_exception());
      }
    }
    if (value == nullptr) value = to_js_error(env_, task.failure_).Value();
  } catch (const Napi::Error&) {
    // Not even an error object can be made: the environment is ending, and nobody will look at the promise.
    release(pending);
    return;
  }
  // Fails only while the environment is ending.
  if (failed) {
    napi_reject_deferred(env_, pending.deferred, value);
  } else {
    napi_resolve_deferred(env_, pending.deferred, value);
  }
  release(pending);
}

void TaskMailbox::release(Pending& pending) {
  for (napi_ref reference : pending.kept) napi_delete_reference(env_, reference);
  pending.kept.clear();
}

void TaskMailbox::tear_down() {
  for (auto& [task, entry] : pending_) entry.task->control_->cancel();
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    for (auto& [task, entry] : pending_) {
      if (entry.task->state_ == PromiseTask::State::kQueued) entry.task->state_ = PromiseTask::State::kAbandoned;
    }
    idle_.wait(lock, [this] { return running_ == 0; });
  }
  for (auto& [task, entry] : pending_) release(entry);
  pending_.clear();
}

}  // namespace nigh::binding
