// The thread pool: every index once, lanes exclusive, exceptions carried over, no deadlock when loops nest.
#include <algorithm>
#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "check.h"

using nigh::ThreadPool;

TEST("parallel_for visits every index exactly once, for any count, chunk and number of lanes") {
  nigh::Rng rng(41);
  for (const size_t threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (size_t round = 0; round < 100; ++round) {
      const size_t count = rng.below(200), chunk = rng.below(20), max_lanes = rng.below(8);
      std::vector<std::atomic<int>> visits(count);
      std::atomic<bool> in_range{true};
      pool.parallel_for(count, chunk, max_lanes, [&](size_t begin, size_t end, size_t lane) {
        if (begin >= end || end > count || lane >= pool.lanes(max_lanes) || end - begin > std::max<size_t>(1, chunk))
          in_range = false;
        for (size_t i = begin; i < end; ++i) ++visits[i];
      });
      CHECK(in_range);
      CHECK(std::all_of(visits.begin(), visits.end(), [](const auto& visit) { return visit == 1; }));
    }
  }
}

TEST("a lane is held by one thread at a time") {
  ThreadPool pool(4);
  for (size_t round = 0; round < 20; ++round) {
    std::vector<std::atomic<int>> holders(pool.lanes(0));
    std::atomic<bool> shared{false};
    pool.parallel_for(500, 1, 0, [&](size_t, size_t, size_t lane) {
      if (++holders[lane] != 1) shared = true;
      std::this_thread::yield();
      --holders[lane];
    });
    CHECK(!shared);
  }
}

TEST("no more lanes are used than allowed, and one lane runs on the calling thread in ascending order") {
  ThreadPool pool(3);
  CHECK(pool.lanes(0) == 3 && pool.lanes(2) == 2 && pool.lanes(100) == 3);
  const std::thread::id caller = std::this_thread::get_id();
  std::vector<size_t> order;
  pool.parallel_for(50, 7, 1, [&](size_t begin, size_t end, size_t lane) {
    CHECK(lane == 0);
    CHECK(std::this_thread::get_id() == caller);
    for (size_t i = begin; i < end; ++i) order.push_back(i);
  });
  CHECK(order.size() == 50 && std::is_sorted(order.begin(), order.end()));
}

TEST("an empty loop calls nothing") {
  ThreadPool pool(2);
  bool called = false;
  pool.parallel_for(0, 1, 0, [&](size_t, size_t, size_t) { called = true; });
  CHECK(!called);
}

TEST("the first exception of a loop reaches the caller after every lane has stopped, and the pool works on") {
  ThreadPool pool(3);
  int cut_short = 0;
  for (size_t round = 0; round < 50; ++round) {
    std::atomic<int> running{0};
    std::atomic<size_t> calls{0};
    CHECK_THROWS(pool.parallel_for(1000, 1, 0,
                                   [&](size_t begin, size_t, size_t) {
                                     ++running;
                                     ++calls;
                                     std::this_thread::yield();
                                     --running;
                                     if (begin == round) throw nigh::Error("ABORTED", "as asked");
                                   }),
                 "ABORTED");
    CHECK(running == 0);
    cut_short += calls < 1000;
  }
  // Where the system takes the core from the lane that throws, the others may have done everything by then.
  CHECK(cut_short > 0);
  bool kept = false;
  try {
    pool.parallel_for(1, 1, 0, [](size_t, size_t, size_t) { throw std::out_of_range("its own type"); });
  } catch (const std::out_of_range& error) {
    kept = std::string(error.what()) == "its own type";
  }
  CHECK(kept);
  std::atomic<size_t> sum{0};
  pool.parallel_for(100, 3, 0, [&](size_t begin, size_t end, size_t) { sum += end - begin; });
  CHECK(sum == 100);
}

TEST("loops nest, from inside a loop and from pool tasks that fill every worker, without deadlock") {
  ThreadPool pool(2);
  std::atomic<size_t> count{0};
  pool.parallel_for(10, 1, 0, [&](size_t, size_t, size_t) {
    pool.parallel_for(10, 1, 0, [&](size_t, size_t, size_t) {
      pool.parallel_for(10, 3, 0, [&](size_t begin, size_t end, size_t) { count += end - begin; });
    });
  });
  CHECK(count == 1000);

  std::vector<std::promise<size_t>> done(12);
  for (std::promise<size_t>& promise : done) {
    pool.submit([&] {
      std::atomic<size_t> sum{0};
      pool.parallel_for(100, 1, 0, [&](size_t, size_t, size_t) { ++sum; });
      promise.set_value(sum);
    });
  }
  for (std::promise<size_t>& promise : done) CHECK(promise.get_future().get() == 100);
}

TEST("a pool that is destroyed has run every task it was given") {
  std::atomic<int> run{0};
  {
    ThreadPool pool(2);
    for (int i = 0; i < 200; ++i) pool.submit([&] { ++run; });
  }
  CHECK(run == 200);
}

TEST("the shared pool is one object with at least one worker") {
  CHECK(&ThreadPool::shared() == &ThreadPool::shared());
  CHECK(ThreadPool::shared().size() >= 1);
}
