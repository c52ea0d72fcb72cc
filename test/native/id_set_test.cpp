// The algebra of id sets against std::set over a small universe with far-away ids in it.
#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "base/id_set.h"
#include "base/rng.h"
#include "check.h"

namespace {

using nigh::IdSet;
using nigh::Rng;

// Ids around word, chunk and range borders, so that every branch of the two-level bitmap is met.
std::vector<uint32_t> universe() {
  std::vector<uint32_t> ids;
  for (uint32_t id = 0; id < 200; ++id) ids.push_back(id);
  for (const uint32_t border : {65536u, 131072u, 1u << 20, 1u << 31, 0xfffffff0u}) {
    for (uint32_t offset = 0; offset < 8; ++offset) ids.push_back(border - 4 + offset);
  }
  ids.push_back(0xffffffffu);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// What an IdSet stands for, by definition.
struct Model {
  std::set<uint32_t> listed;
  bool complement = false;
  bool contains(uint32_t id) const { return (listed.count(id) != 0) != complement; }
};

void check_equal(const IdSet& set, const Model& model, const std::vector<uint32_t>& ids) {
  for (const uint32_t id : ids) CHECK(set.contains(id) == model.contains(id));
  const std::vector<uint32_t> listed = set.listed_ids();
  CHECK(std::is_sorted(listed.begin(), listed.end()));
  CHECK(listed.size() == set.listed());
  CHECK(set.complement() == model.complement);
  CHECK(std::vector<uint32_t>(model.listed.begin(), model.listed.end()) == listed);
}

}  // namespace

TEST("allow and deny hold exactly their ids, listed once and ascending, whatever the order and repetition") {
  Rng rng(21);
  const std::vector<uint32_t> ids = universe();
  for (size_t round = 0; round < 200; ++round) {
    std::vector<uint32_t> listed(rng.below(80));
    for (uint32_t& id : listed) id = ids[rng.below(static_cast<uint32_t>(ids.size()))];
    const Model allowed{{listed.begin(), listed.end()}, false};
    const Model denied{{listed.begin(), listed.end()}, true};
    check_equal(IdSet::allow(listed), allowed, ids);
    check_equal(IdSet::deny(listed), denied, ids);
  }
}

TEST("and, or and not of id sets are those of sets, for every mixture of allowing and denying") {
  Rng rng(22);
  const std::vector<uint32_t> ids = universe();
  for (size_t round = 0; round < 400; ++round) {
    std::vector<uint32_t> lists[2];
    Model models[2];
    IdSet sets[2] = {IdSet::allow({}), IdSet::allow({})};
    for (size_t side = 0; side < 2; ++side) {
      const double share = rng.uniform();
      for (const uint32_t id : ids) {
        if (rng.uniform() < share * share) lists[side].push_back(id);
      }
      models[side] = {{lists[side].begin(), lists[side].end()}, rng.below(2) == 1};
      sets[side] = models[side].complement ? IdSet::deny(lists[side]) : IdSet::allow(lists[side]);
    }
    const IdSet both = sets[0] & sets[1], either = sets[0] | sets[1], other = ~sets[0];
    for (const uint32_t id : ids) {
      CHECK(both.contains(id) == (models[0].contains(id) && models[1].contains(id)));
      CHECK(either.contains(id) == (models[0].contains(id) || models[1].contains(id)));
      CHECK(other.contains(id) != models[0].contains(id));
    }
    for (const IdSet* set : {&both, &either, &other}) {
      const std::vector<uint32_t> listed = set->listed_ids();
      CHECK(listed.size() == set->listed());
      for (const uint32_t id : listed) CHECK(set->contains(id) != set->complement());
    }
    // The operands are untouched, although results may share their memory.
    check_equal(sets[0], models[0], ids);
    check_equal(sets[1], models[1], ids);
  }
}

TEST("the empty allow set has no member, the empty deny set has all") {
  const IdSet none = IdSet::allow({}), all = IdSet::deny({});
  for (const uint32_t id : universe()) {
    CHECK(!none.contains(id));
    CHECK(all.contains(id));
  }
  CHECK(none.listed() == 0 && all.listed() == 0);
  CHECK(!none.complement() && all.complement());
}

TEST("members below a bound are counted and visited as contains() says") {
  Rng rng(77);
  for (int round = 0; round < 30; ++round) {
    std::vector<uint32_t> ids;
    const uint32_t range = 1 + rng.below(200'000);
    for (uint32_t i = rng.below(3000); i > 0; --i) ids.push_back(rng.below(range));
    ids.push_back(0xfffffffe);
    for (const IdSet& set :
         {IdSet::allow(ids), IdSet::deny(ids), IdSet::allow(ids) & IdSet::deny(std::vector<uint32_t>{ids[0]})}) {
      for (const size_t end : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{65'536}, size_t{65'537}, size_t{range}}) {
        std::vector<uint32_t> expected;
        for (uint32_t id = 0; id < end; ++id) {
          if (set.contains(id)) expected.push_back(id);
        }
        std::vector<uint32_t> visited;
        set.for_each_member_below(end, [&](uint32_t id) { visited.push_back(id); });
        CHECK(visited == expected);
        CHECK(set.members_below(end) == expected.size());
      }
    }
  }
}
