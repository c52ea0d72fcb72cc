// The core's own threads, shared by the whole process, so that libuv's four stay free for files and DNS.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace nigh {

class ThreadPool {
 public:
  /// `threads` workers; 0 means one per hardware thread.
  explicit ThreadPool(size_t threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// The process-wide pool, created at first use with one worker per hardware thread (or NIGH_THREADS).
  static ThreadPool& shared();

  size_t size() const noexcept { return workers_.size(); }

  /// Queues a task that must not throw.
  void submit(std::function<void()> task);

  /// Calls body(begin, end, lane) for consecutive chunks of [0, count), on at most `max_lanes` threads at once (0 = all),
  /// the calling thread among them, so that it may be called from a pool task without deadlock. `lane` is in
  /// [0, lanes(max_lanes)) and is held by one thread at a time: index per-thread scratch with it. Chunks are handed out in
  /// ascending order; which lane takes which chunk is not fixed, so a deterministic body depends on (begin, end) only.
  /// The first exception stops the hand-out and is rethrown here after every lane has finished.
  void parallel_for(size_t count, size_t chunk, size_t max_lanes,
                    const std::function<void(size_t begin, size_t end, size_t lane)>& body);

  /// How many lanes parallel_for uses at most for this `max_lanes`.
  size_t lanes(size_t max_lanes) const noexcept;

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace nigh
