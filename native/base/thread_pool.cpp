#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>

#include "base/error.h"

namespace nigh {

namespace {

size_t default_threads() {
  if (const char* wanted = std::getenv("NIGH_THREADS")) {
    const long parsed = std::strtol(wanted, nullptr, 10);
    if (parsed > 0 && parsed <= 1024) return static_cast<size_t>(parsed);
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

// State of one parallel_for, shared with helpers that may only get to run after it has returned: they then find no chunk.
struct Loop {
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  size_t count = 0;
  size_t chunk = 1;
  std::mutex mutex;
  std::condition_variable idle;
  size_t active = 0;
  bool closed = false;
  std::exception_ptr error;
};

void run_lane(Loop& loop, const std::function<void(size_t, size_t, size_t)>& body, size_t lane) {
  try {
    while (!loop.failed.load(std::memory_order_relaxed)) {
      const size_t begin = loop.next.fetch_add(loop.chunk, std::memory_order_relaxed);
      if (begin >= loop.count) return;
      body(begin, std::min(begin + loop.chunk, loop.count), lane);
    }
  } catch (...) {
    const std::lock_guard lock(loop.mutex);
    if (!loop.error) loop.error = std::current_exception();
    loop.failed.store(true, std::memory_order_relaxed);
  }
}

}  // namespace

ThreadPool::ThreadPool(size_t threads) {
  const size_t count = threads == 0 ? default_threads() : threads;
  workers_.reserve(count);
  try {
    for (size_t i = 0; i < count; ++i) workers_.emplace_back([this] { work(); });
  } catch (const std::exception&) {
    // The system starts no more threads, or has no memory for them: those that there are do the work.
    if (workers_.empty()) throw Error("OUT_OF_MEMORY", "The system could not start a thread.");
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

ThreadPool& ThreadPool::shared() {
  // Never destroyed: at process exit a worker may still be inside a task, and the system reclaims everything.
  static ThreadPool* pool = new ThreadPool();
  return *pool;
}

void ThreadPool::submit(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void ThreadPool::work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

size_t ThreadPool::lanes(size_t max_lanes) const noexcept { return max_lanes == 0 ? size() : std::min(max_lanes, size()); }

void ThreadPool::parallel_for(size_t count, size_t chunk, size_t max_lanes,
                              const std::function<void(size_t, size_t, size_t)>& body) {
  if (count == 0) return;
  auto loop = std::make_shared<Loop>();
  loop->count = count;
  loop->chunk = std::max<size_t>(1, chunk);
  const size_t chunks = (count + loop->chunk - 1) / loop->chunk;
  const size_t wanted = std::min(lanes(max_lanes), chunks);

  // `body` outlives every lane that passes the closed check: parallel_for waits for those.
  const auto help = [&](size_t lane) {
    submit([loop, &body, lane] {
      {
        const std::lock_guard lock(loop->mutex);
        if (loop->closed) return;
        ++loop->active;
      }
      run_lane(*loop, body, lane);
      const std::lock_guard lock(loop->mutex);
      if (--loop->active == 0) loop->idle.notify_all();
    });
  };
  try {
    for (size_t lane = 1; lane < wanted; ++lane) help(lane);
  } catch (const std::bad_alloc&) {
    // Without memory for another helper the lanes that there are do the work; those that run already must not be left alone.
  }
  run_lane(*loop, body, 0);

  std::unique_lock lock(loop->mutex);
  loop->closed = true;
  loop->idle.wait(lock, [&] { return loop->active == 0; });
  // Taken out of the loop: a lane that comes too late may be the last to let go of it, and must not free what the caller is
  // reading.
  if (std::exception_ptr error = std::move(loop->error)) std::rethrow_exception(std::move(error));
}

}  // namespace nigh
