// Which threads run the tasks behind promises.
//
// ThreadPool::shared() lends lanes to parallel_for; a lane keeps its worker until the loop is done, which for the build of a
// large index is minutes. A task that waited in that pool for its turn would wait as long. So tasks are started elsewhere:
// single searches on threads of their own, everything longer on a few driver threads, each of which is the first lane of its
// own parallel_for and therefore always moves.
#pragma once

#include "base/thread_pool.h"

namespace nigh::binding {

enum class TaskClass {
  kShort,  // a single search: microseconds to a few milliseconds
  kLong    // build, batch, training, files
};

/// Created at first use, never destroyed: see ThreadPool::shared().
ThreadPool& threads_for(TaskClass kind);

}  // namespace nigh::binding
