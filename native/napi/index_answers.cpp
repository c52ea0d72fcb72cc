#include "napi/index_answers.h"

#include "napi/args.h"
#include "napi/new_arrays.h"

namespace nigh::binding {

namespace {

const char* kind_name(IndexKind kind) {
  if (kind == IndexKind::kFlat) return "flat";
  return kind == IndexKind::kHnsw ? "hnsw" : "sparse";
}

}  // namespace

Napi::Value packed_answer(Napi::Env env, const Answer& answer) {
  const size_t count = answer.neighbors.size();
  Napi::ArrayBuffer buffer = new_array_buffer(env, 3 * sizeof(double) + count * 8);
  auto* stats = static_cast<double*>(buffer.Data());
  stats[0] = static_cast<double>(answer.stats.plan);
  stats[1] = static_cast<double>(answer.stats.visited);
  stats[2] = static_cast<double>(answer.stats.distances);
  auto* ids = reinterpret_cast<uint32_t*>(stats + 3);
  auto* distances = reinterpret_cast<float*>(ids + count);
  for (size_t i = 0; i < count; ++i) {
    ids[i] = answer.neighbors[i].id;
    distances[i] = answer.neighbors[i].distance;
  }
  return buffer;
}

Napi::Value stats_object(Napi::Env env, const SearchStats& stats) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("plan", static_cast<double>(stats.plan));
  out.Set("visited", static_cast<double>(stats.visited));
  out.Set("distances", static_cast<double>(stats.distances));
  return out;
}

Napi::Value inspection(Napi::Env env, const IndexFile& file) {
  const IndexHeader& header = file.header();
  Napi::Object out = Napi::Object::New(env);
  out.Set("kind", kind_name(header.kind));
  out.Set("metric", metric_name(header.metric));
  out.Set("dim", header.dim);
  out.Set("count", static_cast<double>(header.count));
  out.Set("fileBytes", static_cast<double>(header.file_bytes));
  out.Set("version", header.version);
  Napi::Array sections = Napi::Array::New(env, file.sections().size());
  for (uint32_t i = 0; i < file.sections().size(); ++i) {
    Napi::Object section = Napi::Object::New(env);
    section.Set("name", file.sections()[i].tag);
    section.Set("bytes", static_cast<double>(file.sections()[i].bytes));
    sections.Set(i, section);
  }
  out.Set("sections", sections);
  return out;
}

}  // namespace nigh::binding
