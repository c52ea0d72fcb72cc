#include "napi/task_threads.h"

namespace nigh::binding {

namespace {

// Long tasks at once; further ones wait in order. Their parallel parts share the cores through ThreadPool::shared().
constexpr size_t kDrivers = 8;

}  // namespace

ThreadPool& threads_for(TaskClass kind) {
  if (kind == TaskClass::kShort) {
    static ThreadPool* searchers = new ThreadPool();
    return *searchers;
  }
  static ThreadPool* drivers = new ThreadPool(kDrivers);
  return *drivers;
}

}  // namespace nigh::binding
