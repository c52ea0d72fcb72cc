#include "napi/addon_data.h"

#include <algorithm>
#include <bit>

#include "index/vector_index.h"
#include "napi/new_arrays.h"

namespace nigh::binding {

void AddonData::reserve_answer(Napi::Env env, size_t k) {
  if (!answer.object.IsEmpty() && k <= answer.ids.size()) return;
  // There are no more ids than kNoId, and no longer typed arrays.
  const size_t room = std::min<size_t>(std::bit_ceil(std::clamp<size_t>(k, 128, kNoId)), kNoId);
  auto ids = new_typed_array<uint32_t>(env, room);
  auto distances = new_typed_array<float>(env, room);
  auto stats = new_typed_array<double>(env, 3);
  Napi::Object object = Napi::Object::New(env);
  object.Set("ids", ids);
  object.Set("distances", distances);
  object.Set("stats", stats);
  answer.object = Napi::Persistent(object);
  answer.ids = {ids.Data(), room};
  answer.distances = {distances.Data(), room};
  answer.stats = {stats.Data(), 3};
}

}  // namespace nigh::binding
