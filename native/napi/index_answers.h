// What methods of NativeIndex answer, as JavaScript values.
#pragma once

#include <napi.h>

#include <vector>

#include "format/index_file.h"
#include "index/vector_index.h"

namespace nigh::binding {

struct Answer {
  std::vector<Neighbor> neighbors;
  SearchStats stats;
};

/// [plan, visited, distances] as doubles, then the ids, then the distances: one allocation, cut into views by TypeScript.
Napi::Value packed_answer(Napi::Env env, const Answer& answer);

/// { plan, visited, distances }
Napi::Value stats_object(Napi::Env env, const SearchStats& stats);

/// { kind, metric, dim, count, fileBytes, version, sections: [{ name, bytes }] }
Napi::Value inspection(Napi::Env env, const IndexFile& file);

}  // namespace nigh::binding
