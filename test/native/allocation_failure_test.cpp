// Memory that runs out at every place where it can: each operation is tried with its first allocation failing, with its second,
// and so on until it needs no more. It must throw OUT_OF_MEMORY and leave the index as it was, or have succeeded.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "failing_allocations.h"
#include "index/flat_index.h"
#include "index/hnsw_index.h"
#include "index/sparse_index.h"
#include "sparse_fixture.h"
#include "temporary_file.h"

using namespace nigh;
using nigh::test::FailingAllocations;
using nigh::test::TemporaryFile;

namespace {

constexpr size_t kDim = 5;

using Vector = std::vector<float>;
using Rows = std::map<uint32_t, Vector>;

bool thorough() { return std::getenv("NIGH_LONG_TESTS") != nullptr; }

Vector some_vector(uint64_t seed, uint32_t id) {
  Rng rng(seed, id % 17);  // some are equal, and become twins
  Vector out(kDim);
  for (float& value : out) value = static_cast<float>(rng.normal());
  return out;
}

std::vector<uint32_t> ids_from(uint32_t first, uint32_t count, uint32_t step = 1) {
  std::vector<uint32_t> ids;
  for (uint32_t i = 0; i < count; ++i) ids.push_back(first + i * step);
  return ids;
}

struct Batch {
  std::vector<uint32_t> ids;
  Vector data;

  Batch(std::vector<uint32_t> own, uint64_t seed) : ids(std::move(own)) {
    for (const uint32_t id : ids) {
      const Vector row = some_vector(seed, id);
      data.insert(data.end(), row.begin(), row.end());
    }
  }
  MatrixView<const float> rows() const { return {data.data(), ids.size(), kDim}; }
  void into(Rows& model) const {
    for (size_t i = 0; i < ids.size(); ++i) model[ids[i]] = Vector(rows().row(i), rows().row(i) + kDim);
  }
};

HnswParams small_params(Quantization quantization) {
  HnswParams params;
  params.m = 3;
  params.ef_construction = 12;
  params.quantization = quantization;
  return params;
}

/// The index holds exactly these rows: an exact search for all gives their ids, and each vector is where it should be.
void check_holds(const VectorIndex& index, const Rows& model) {
  CHECK(index.size() == model.size());
  SearchParams params;
  params.k = model.size() + 5;
  params.exact = true;
  SearchStats stats;
  const Vector query = some_vector(1, 3);
  const auto found = index.search(query.data(), params, stats);
  CHECK(found.size() == model.size());
  for (const Neighbor& neighbor : found) CHECK(model.contains(neighbor.id));
  Vector out(kDim);
  for (const auto& [id, row] : model) CHECK(index.vector(id, out.data()));
  params.exact = false;
  params.k = 3;
  params.ef_search = 4;
  CHECK(index.search(query.data(), params, stats).size() == std::min<size_t>(3, model.size()));
}

/// One thing to do to an index, and the rows that it then holds.
struct Operation {
  const char* name;
  std::function<void(HnswIndex&)> run;
  std::function<void(Rows&)> model;
};

// A template, because a std::function would allocate.
template <class Run>
bool runs_out(const Run& run) {
  try {
    run();
    return false;
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const Error& error) {
    CHECK(std::strcmp(error.code(), "OUT_OF_MEMORY") == 0);
    return true;
  }
}

size_t executions = 0;

/// Calls attempt(n, which) for n = 1, 2, … until it says that nothing has failed.
void sweep(const char* name, const std::function<bool(size_t, FailingAllocations::Which)>& attempt) {
  for (const auto which : {FailingAllocations::Which::kOne, FailingAllocations::Which::kAllFrom}) {
    size_t n = 1;
    for (; n < 100'000; ++n) {
      ++executions;
      const int before = native_failures();
      const bool failed = attempt(n, which);
      if (native_failures() != before) {
        std::fprintf(stderr, "  %s, when allocation %zu%s fails\n", name, n,
                     which == FailingAllocations::Which::kOne ? "" : " and every later one");
        return;
      }
      if (!failed) break;
    }
    CHECK(n > 1 && n < 100'000);
  }
}

Rows base_model() {
  Rows model;
  Batch(ids_from(10, 40), 7).into(model);
  return model;
}

/// Forty rows; `removed` of them are gone but still take place, and there is room for more.
std::unique_ptr<HnswIndex> base_index(Metric metric, Quantization quantization, Rows& model, uint32_t removed) {
  TaskControl control;
  model = base_model();
  const Batch first(ids_from(10, 38), 7);
  const Batch rest(ids_from(48, 2), 7);
  auto index = HnswIndex::build(first.rows(), first.ids.data(), metric, small_params(quantization), 1, control);
  index->add(rest.rows(), rest.ids.data(), 1, control);
  if (removed != 0) {
    const std::vector<uint32_t> ids = ids_from(11, removed, 2);
    index->remove(ids, false, 1, control);
    for (const uint32_t id : ids) model.erase(id);
  }
  return index;
}

void sweep_changes(Metric metric, Quantization quantization) {
  static const Batch added(ids_from(100, 3), 8);
  static const Batch many(ids_from(100, 40), 8);
  static const Batch replaced({12, 14, 100}, 9);
  static const std::vector<uint32_t> few = {10, 20, 49};
  static const std::vector<uint32_t> most = ids_from(10, 30);
  const auto erase = [](const std::vector<uint32_t>& ids) {
    return [&ids](Rows& model) {
      for (const uint32_t id : ids) model.erase(id);
    };
  };
  const auto nothing = [](Rows&) {};
  const Operation operations[] = {
      {"add into room",
       [](HnswIndex& index) {
         TaskControl c;
         index.add(added.rows(), added.ids.data(), 1, c);
       },
       [](Rows& model) { added.into(model); }},
      {"add beyond room",
       [](HnswIndex& index) {
         TaskControl c;
         index.add(many.rows(), many.ids.data(), 1, c);
       },
       [](Rows& model) { many.into(model); }},
      {"replace",
       [](HnswIndex& index) {
         TaskControl c;
         index.replace(replaced.rows(), replaced.ids.data(), true, 1, c);
       },
       [](Rows& model) { replaced.into(model); }},
      {"remove a few",
       [](HnswIndex& index) {
         TaskControl c;
         index.remove(few, true, 1, c);
       },
       erase(few)},
      {"remove most",
       [](HnswIndex& index) {
         TaskControl c;
         index.remove(most, true, 1, c);
       },
       erase(most)},
      {"compact",
       [](HnswIndex& index) {
         TaskControl c;
         index.compact(1, c);
       },
       nothing},
      {"repair",
       [](HnswIndex& index) {
         TaskControl c;
         index.verify(true, 8, 1, c);
       },
       nothing},
  };
  for (const Operation& operation : operations) {
    for (const uint32_t removed : {0u, 6u}) {
      const std::string name = std::string(operation.name) + (removed == 0 ? "" : ", where rows are removed");
      sweep(name.c_str(), [&](size_t n, FailingAllocations::Which which) {
        Rows model;
        const auto index = base_index(metric, quantization, model, removed);
        bool failed = false;
        bool refused = false;
        {
          const FailingAllocations failing(n, which);
          refused = runs_out([&] { operation.run(*index); });
          failed = failing.failed();
        }
        CHECK(failed || !refused);
        if (!refused) operation.model(model);
        check_holds(*index, model);
        // It goes on: the same again, more rows, a file, and everything is found when it is compact.
        TaskControl control;
        if (refused) {
          operation.run(*index);
          operation.model(model);
        }
        const Batch more(ids_from(200, 9), 10);
        index->add(more.rows(), more.ids.data(), 1, control);
        more.into(model);
        check_holds(*index, model);
        index->compact(1, control);
        const VerifyReport report = index->verify(false, 64, 1, control);
        CHECK(report.live == model.size() && report.removed == 0);
        CHECK(report.dangling == 0 && report.unreachable == 0 && report.not_found == 0);
        return failed;
      });
    }
  }
}

void sweep_reads(Metric metric, Quantization quantization) {
  Rows model;
  const auto index = base_index(metric, quantization, model, 6);
  const Vector query = some_vector(1, 3);
  const Batch queries(ids_from(0, 5), 2);
  const auto reading = [&](const char* name, const std::function<void(const VectorIndex&)>& read) {
    sweep(name, [&](size_t n, FailingAllocations::Which which) {
      bool failed = false;
      bool refused = false;
      {
        const FailingAllocations failing(n, which);
        refused = runs_out([&] { read(*index); });
        failed = failing.failed();
      }
      CHECK(failed || !refused);
      check_holds(*index, model);
      return failed;
    });
  };
  const auto search = [&](bool exact, const IdSet* filter) {
    return [&query, exact, filter](const VectorIndex& where) {
      SearchParams params;
      params.k = 4;
      params.ef_search = 4;
      params.exact = exact;
      params.filter = filter;
      SearchStats stats;
      CHECK(where.search(query.data(), params, stats).size() == 4);
    };
  };
  const std::vector<uint32_t> listed = ids_from(10, 12, 2);
  const IdSet allow = IdSet::allow(listed);
  const IdSet deny = IdSet::deny(listed);
  reading("search", search(false, nullptr));
  reading("exact search", search(true, nullptr));
  reading("search among allowed ids", search(false, &allow));
  reading("search but denied ids", search(false, &deny));
  for (const size_t lanes : {size_t{1}, size_t{0}}) {
    reading("batch", [&](const VectorIndex& where) {
      SearchParams params;
      params.k = 4;
      params.ef_search = 4;
      std::vector<uint32_t> ids(20), counts(5);
      Vector distances(20);
      SearchStats stats;
      TaskControl control;
      where.search_batch(queries.rows(), params, lanes, ids.data(), distances.data(), counts.data(), stats, control);
    });
  }
  const TemporaryFile file;
  reading("save", [&](const VectorIndex& where) { where.save(file.path()); });
  reading("export", [&](const VectorIndex& where) {
    TaskControl control;
    dynamic_cast<const HnswIndex&>(where).export_hnswlib(file.path(), control);
  });
}

// Opening, then using what was opened: its table of ids is made at the first use.
void sweep_files(Metric metric, Quantization quantization) {
  Rows model;
  const TemporaryFile file;
  base_index(metric, quantization, model, 6)->save(file.path());
  for (const OpenMode mode : {OpenMode::kMemory, OpenMode::kMap}) {
    sweep("open", [&](size_t n, FailingAllocations::Which which) {
      std::unique_ptr<HnswIndex> index;
      bool failed = false;
      Vector out(kDim);
      const bool refused = runs_out([&] {
        const FailingAllocations failing(n, which);
        try {
          index = HnswIndex::open(IndexFile::open(file.path(), mode));
          index->vector(12, out.data());
        } catch (...) {
          failed = failing.failed();
          throw;
        }
        failed = failing.failed();
      });
      CHECK(failed || !refused);
      if (index) check_holds(*index, model);
      return failed;
    });
  }
  const TemporaryFile exported;
  {
    TaskControl control;
    base_index(metric, quantization, model, 6)->export_hnswlib(exported.path(), control);
  }
  sweep("import", [&](size_t n, FailingAllocations::Which which) {
    std::unique_ptr<HnswIndex> index;
    bool failed = false;
    const bool refused = runs_out([&] {
      TaskControl control;
      const FailingAllocations failing(n, which);
      try {
        index = HnswIndex::import_hnswlib(exported.path(), metric, 0, false, small_params(quantization), 1, control);
      } catch (...) {
        failed = failing.failed();
        throw;
      }
      failed = failing.failed();
    });
    CHECK(failed || !refused);
    if (index) check_holds(*index, model);
    return failed;
  });
}

/// Building, and on several lanes, where the counts differ from run to run.
void sweep_builds(Metric metric, Quantization quantization) {
  const Batch rows(ids_from(10, 40), 7);
  const Rows model = base_model();
  const auto building = [&](const char* name, const std::function<std::unique_ptr<VectorIndex>()>& build) {
    sweep(name, [&](size_t n, FailingAllocations::Which which) {
      std::unique_ptr<VectorIndex> index;
      bool failed = false;
      bool refused = false;
      {
        const FailingAllocations failing(n, which);
        refused = runs_out([&] { index = build(); });
        failed = failing.failed();
      }
      CHECK(failed || !refused);
      if (index) check_holds(*index, model);
      return failed;
    });
  };
  for (const size_t lanes : {size_t{1}, size_t{0}}) {
    building("build of an hnsw index", [&] {
      TaskControl control;
      return HnswIndex::build(rows.rows(), rows.ids.data(), metric, small_params(quantization), lanes, control);
    });
  }
  building("build of a flat index", [&] { return FlatIndex::build(rows.rows(), rows.ids.data(), metric, quantization); });
  if (quantization != Quantization::kNone) return;
  SparseFixture sparse(kDim);
  for (size_t r = 0; r < rows.ids.size(); ++r) {
    for (uint32_t column = 0; column < kDim; ++column) sparse.push(column, rows.rows().row(r)[column]);
    sparse.end_row();
  }
  building("build of a sparse index", [&] { return SparseIndex::build(sparse.view(), rows.ids.data(), metric); });
}

void sweep_all(Metric metric, Quantization quantization) {
  if (!test::allocations_can_fail()) return;
  sweep_builds(metric, quantization);
  sweep_changes(metric, quantization);
  sweep_reads(metric, quantization);
  sweep_files(metric, quantization);
}

}  // namespace

TEST("memory that runs out at any allocation leaves an index as it was") {
  executions = 0;
  sweep_all(Metric::kL2, Quantization::kSq8);
  if (thorough()) {
    for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kIp}) {
      for (const Quantization quantization : {Quantization::kNone, Quantization::kSq8}) sweep_all(metric, quantization);
    }
  }
  std::printf("       %zu operations, each with an allocation that fails\n", executions);
}

TEST("memory that runs out while ids are combined throws and changes nothing") {
  if (!test::allocations_can_fail()) return;
  const std::vector<uint32_t> ids = ids_from(7, 50, 70'001);
  const IdSet left = IdSet::allow(ids);
  const IdSet right = IdSet::deny(ids_from(7, 25, 140'002));
  sweep("sets of ids", [&](size_t n, FailingAllocations::Which which) {
    bool failed = false;
    bool refused = false;
    size_t listed = 0;
    {
      const FailingAllocations failing(n, which);
      refused = runs_out([&] { listed = ((left & right) | ~IdSet::deny(ids)).listed_ids().size(); });
      failed = failing.failed();
    }
    CHECK(failed == refused);
    CHECK(refused || listed == 50);
    CHECK(left.listed() == 50 && right.listed() == 25);
    return failed;
  });
}
