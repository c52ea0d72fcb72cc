// The container of every index: what was written is read, and what was altered, cut or made up is refused without a crash.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "format/crc32c.h"
#include "format/index_file.h"
#include "index/flat_index.h"
#include "temporary_file.h"

namespace {

using nigh::FlatIndex;
using nigh::IndexFile;
using nigh::IndexFileWriter;
using nigh::IndexKind;
using nigh::Metric;
using nigh::OpenMode;
using nigh::Rng;
using nigh::test::TemporaryFile;

constexpr OpenMode kModes[] = {OpenMode::kMemory, OpenMode::kMap};
constexpr size_t kHeaderBytes = 64, kSectionBytes = 32;

std::vector<float> write_flat(const TemporaryFile& file, size_t count, size_t dim) {
  Rng rng(51);
  std::vector<float> rows(count * dim);
  std::vector<uint32_t> ids(count);
  for (float& value : rows) value = static_cast<float>(rng.normal());
  for (size_t i = 0; i < count; ++i) ids[i] = static_cast<uint32_t>(7 * i + 3);
  FlatIndex::build({rows.data(), count, dim}, ids.data(), Metric::kL2, nigh::Quantization::kSq8)->save(file.path());
  return rows;
}

// Opens, verifies and searches. The code of the nigh::Error on the way, or "" when all went well.
std::string use(const std::string& path, OpenMode mode) {
  try {
    const IndexFile file = IndexFile::open(path, mode);
    file.verify();
    const auto index = FlatIndex::open(file);
    const std::vector<float> query(index->dim(), 0.5f);
    nigh::SearchStats stats;
    index->search(query.data(), {}, stats);
    return "";
  } catch (const nigh::Error& error) {
    return error.code();
  }
}

uint32_t read_u32(const std::vector<char>& bytes, size_t at) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// Makes the header checksum right again, as somebody who builds a hostile file would.
void reseal(std::vector<char>& bytes) {
  const size_t table = std::min<size_t>(read_u32(bytes, 12), 64) * kSectionBytes;
  std::memset(bytes.data() + 60, 0, 4);
  const size_t covered = std::min(bytes.size(), kHeaderBytes + table);
  const uint32_t crc =
      nigh::crc32c(bytes.data() + kHeaderBytes, covered - kHeaderBytes, nigh::crc32c(bytes.data(), kHeaderBytes));
  std::memcpy(bytes.data() + 60, &crc, 4);
}

}  // namespace

TEST("crc32c is the Castagnoli checksum, also when computed in pieces") {
  const char* text = "123456789";
  CHECK(nigh::crc32c(text, 9) == 0xe3069283u);
  const std::vector<char> zeros(32, 0);
  CHECK(nigh::crc32c(zeros.data(), 32) == 0x8a9136aau);
  for (size_t cut = 0; cut <= 9; ++cut) CHECK(nigh::crc32c(text + cut, 9 - cut, nigh::crc32c(text, cut)) == 0xe3069283u);
}

TEST("sections come back as they were written, aligned to 64 bytes, in both modes, and the header without opening") {
  const TemporaryFile file;
  const std::vector<uint8_t> a = {1, 2, 3}, empty;
  std::vector<uint64_t> b(1000);
  for (size_t i = 0; i < b.size(); ++i) b[i] = i * i;
  IndexFileWriter writer(IndexKind::kHnsw, Metric::kCosine, 100, 12345);
  writer.add("a", std::span<const uint8_t>(a));
  writer.add("empty", std::span<const uint8_t>(empty));
  writer.add("eightchr", std::span<const uint64_t>(b));
  writer.write(file.path());

  const IndexFile inspected = IndexFile::inspect(file.path());
  CHECK(inspected.header().version == 1 && inspected.header().kind == IndexKind::kHnsw);
  CHECK(inspected.header().metric == Metric::kCosine && inspected.header().dim == 100 && inspected.header().count == 12345);
  CHECK(inspected.header().file_bytes == std::filesystem::file_size(file.path()));
  CHECK(inspected.sections().size() == 3);
  for (const OpenMode mode : kModes) {
    const IndexFile opened = IndexFile::open(file.path(), mode);
    CHECK(opened.mode() == mode);
    opened.verify();
    const auto read_a = opened.section<uint8_t>("a", 3);
    const auto read_b = opened.section<uint64_t>("eightchr", 1000);
    CHECK(std::equal(a.begin(), a.end(), read_a.data()));
    CHECK(std::equal(b.begin(), b.end(), read_b.data()));
    CHECK(reinterpret_cast<uintptr_t>(read_b.data()) % 64 == 0);
    CHECK(opened.section<uint8_t>("empty", 0).size() == 0);
    CHECK(opened.has("a") && !opened.has("b"));
    CHECK(opened.section_bytes("eightchr") == 8000);
    CHECK_THROWS(opened.section<uint8_t>("missing", 0), "FORMAT");
    CHECK_THROWS(opened.section<uint8_t>("a", 4), "FORMAT");
    CHECK_THROWS(opened.section_bytes("missing"), "FORMAT");
  }
}

TEST("a section outlives the file object it came from") {
  const TemporaryFile file;
  const std::vector<float> rows = write_flat(file, 10, 4);
  for (const OpenMode mode : kModes) {
    nigh::Buffer<float> section;
    {
      const IndexFile opened = IndexFile::open(file.path(), mode);
      section = opened.section<float>("rows", 40);
    }
    CHECK(std::equal(rows.begin(), rows.end(), section.data()));
  }
}

TEST("a file cut at any length is refused") {
  const TemporaryFile file;
  write_flat(file, 9, 5);
  const std::vector<char> whole = file.read();
  for (const OpenMode mode : kModes) {
    file.write(whole);
    CHECK(use(file.path(), mode).empty());
    for (size_t length = 0; length < whole.size(); ++length) {
      file.write({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
      CHECK(use(file.path(), mode) == "TRUNCATED");
    }
    std::vector<char> longer = whole;
    longer.push_back(0);
    file.write(longer);
    CHECK(use(file.path(), mode) == "TRUNCATED");
  }
}

TEST("every bit of header, section table and sections is protected; bytes between sections carry nothing") {
  const TemporaryFile file;
  write_flat(file, 9, 5);
  const std::vector<char> whole = file.read();
  std::vector<bool> meant(whole.size(), false);
  const IndexFile inspected = IndexFile::inspect(file.path());
  std::fill_n(meant.begin(), kHeaderBytes + inspected.sections().size() * kSectionBytes, true);
  for (const auto& section : inspected.sections()) {
    std::fill_n(meant.begin() + static_cast<std::ptrdiff_t>(section.offset), section.bytes, true);
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<char> bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      file.write(bytes);
      for (const OpenMode mode : kModes) CHECK(use(file.path(), mode).empty() != meant[at]);
    }
  }
}

TEST("a header of made-up values with a right checksum is refused or harmless, never a crash") {
  Rng rng(52);
  const TemporaryFile file;
  write_flat(file, 9, 5);
  const std::vector<char> whole = file.read();
  const uint32_t interesting[] = {0, 1, 2, 3, 63, 64, 65, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  size_t refused = 0;
  for (size_t round = 0; round < 3000; ++round) {
    std::vector<char> bytes = whole;
    for (uint32_t changes = 1 + rng.below(3); changes > 0; --changes) {
      const size_t words = (kHeaderBytes + 2 * kSectionBytes) / 4;
      const size_t at = (2 + rng.below(static_cast<uint32_t>(words) - 2)) * 4;
      const uint32_t value = rng.below(2) == 0 ? interesting[rng.below(11)] : rng.below(2000);
      std::memcpy(bytes.data() + at, &value, 4);
    }
    reseal(bytes);
    file.write(bytes);
    for (const OpenMode mode : kModes) refused += !use(file.path(), mode).empty();
  }
  CHECK(refused > 3000);
}

TEST("each kind of damage has its code") {
  const TemporaryFile file;
  write_flat(file, 9, 5);
  const std::vector<char> whole = file.read();
  const auto code = [&](size_t at, uint32_t value, bool sealed) {
    std::vector<char> bytes = whole;
    std::memcpy(bytes.data() + at, &value, 4);
    if (sealed) reseal(bytes);
    file.write(bytes);
    return use(file.path(), OpenMode::kMemory);
  };
  CHECK(code(0, 0, true) == "FORMAT");               // magic
  CHECK(code(8, 3, true) == "VERSION_UNSUPPORTED");  // version
  CHECK(code(8, 0, true) == "VERSION_UNSUPPORTED");
  CHECK(code(12, 65, true) == "FORMAT");  // sections
  CHECK(code(16, 9, true) == "FORMAT");   // kind
  CHECK(code(20, 9, true) == "FORMAT");   // metric
  CHECK(code(24, 0, true) == "FORMAT");   // dim
  CHECK(code(24, 70000, true) == "FORMAT");
  CHECK(code(24, 6, true) == "FORMAT");     // contradicts the section's length
  CHECK(code(32, 10, true) == "FORMAT");    // count, the same
  CHECK(code(36, 1, true) == "FORMAT");     // count of 2^32 and more
  CHECK(code(40, 1, true) == "TRUNCATED");  // length of the file
  CHECK(code(24, 6, false) == "CHECKSUM_MISMATCH");
  CHECK(code(kHeaderBytes + 8, 1, true) == "FORMAT");  // a section that is not aligned
  CHECK(code(kHeaderBytes + 8, 0, true) == "FORMAT");  // a section over the header
  CHECK(code(kHeaderBytes, 0, true) == "FORMAT");      // a section of another name
}

TEST("a missing file, a directory and a path that cannot be written give their codes, and nothing is left behind") {
  const TemporaryFile file;
  CHECK_THROWS(IndexFile::open(file.path(), OpenMode::kMap), "NOT_FOUND");
  CHECK_THROWS(IndexFile::inspect(std::filesystem::temp_directory_path().string()), "IO");
  const IndexFileWriter writer(IndexKind::kFlat, Metric::kL2, 1, 0);
  CHECK_THROWS(writer.write(file.path() + "/no/such/directory"), "NOT_FOUND");
  std::filesystem::create_directory(file.path());
  CHECK_THROWS(writer.write(file.path()), "IO");  // a directory is in the way of the rename
  const std::string name = std::filesystem::path(file.path()).filename().string();
  size_t left = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path())) {
    left += entry.path().filename().string().starts_with(name + ".");
  }
  CHECK(left == 0);
}

TEST("writing over a file that is mapped leaves the mapping as it was") {
  const TemporaryFile file;
  const std::vector<float> rows = write_flat(file, 10, 4);
  const auto mapped = FlatIndex::open(IndexFile::open(file.path(), OpenMode::kMap));
  write_flat(file, 3, 2);
  float row[4];
  CHECK(mapped->vector(3, row) && std::equal(row, row + 4, rows.begin()));
  CHECK(FlatIndex::open(IndexFile::open(file.path(), OpenMode::kMap))->size() == 3);
}
