#include "napi/addon_data.h"

#include <algorithm>
#include <bit>

namespace nigh::binding {

void AddonData::reserve_answer(Napi::Env env, size_t k) {
  if (!answer.object.IsEmpty() && k <= answer.ids.size()) return;
  const size_t room = std::bit_ceil(std::max<size_t>(k, 128));
  Napi::Uint32Array ids = Napi::Uint32Array::New(env, room);
  Napi::Float32Array distances = Napi::Float32Array::New(env, room);
  Napi::Float64Array stats = Napi::Float64Array::New(env, 3);
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
