// One file per vector index: a fixed header, a section table, and 64-byte aligned sections that can be mapped as they lie.
// The layout is written down in FORMAT.md. Nothing read from a file is used before it was checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/error.h"
#include "index/metric.h"

namespace nigh {

class InputFile;

enum class IndexKind : uint32_t { kFlat = 1, kHnsw = 2, kSparse = 3 };

/// Of what most files are written as, and of what none is written beyond.
inline constexpr uint32_t kFirstVersion = 1;
inline constexpr uint32_t kLastVersion = 2;

/// What the header says, readable without loading anything else.
struct IndexHeader {
  uint32_t version = 0;
  IndexKind kind = IndexKind::kFlat;
  Metric metric = Metric::kL2;
  uint32_t dim = 0;
  uint64_t count = 0;
  uint64_t file_bytes = 0;
};

enum class OpenMode {
  kMemory,  // read into owned memory; every checksum is verified
  kMap      // mapped; the header is verified now, sections by verify() when wanted
};

class IndexFile {
 public:
  struct Section {
    std::string tag;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    uint32_t crc = 0;
  };

  /// Reads and checks header and section table. Throws NOT_FOUND, IO, FORMAT, TRUNCATED, CHECKSUM_MISMATCH,
  /// VERSION_UNSUPPORTED; in memory mode also CHECKSUM_MISMATCH for any section.
  static IndexFile open(const std::string& path, OpenMode mode);

  /// Header and section table only; maps and reads nothing else.
  static IndexFile inspect(const std::string& path);

  const IndexHeader& header() const { return header_; }
  const std::vector<Section>& sections() const { return sections_; }
  const std::string& path() const { return path_; }
  OpenMode mode() const { return mode_; }

  /// Exactly `expected` elements of T under `tag`; FORMAT when the section is absent or of another size.
  template <class T>
  Buffer<T> section(std::string_view tag, size_t expected) const {
    const Section& found = find(tag);
    if (found.bytes != expected * sizeof(T)) wrong_size(found, expected * sizeof(T));
    return Buffer<T>(reinterpret_cast<T*>(base_ + found.offset), expected, owner_);
  }

  bool has(std::string_view tag) const;
  /// Bytes of a section; FORMAT when absent.
  uint64_t section_bytes(std::string_view tag) const { return find(tag).bytes; }

  /// Checks the checksum of every section. Throws CHECKSUM_MISMATCH naming the section.
  void verify() const;

 private:
  static IndexFile describe(const InputFile& input, const std::string& path);
  const Section& find(std::string_view tag) const;
  [[noreturn]] void wrong_size(const Section& section, size_t expected_bytes) const;

  std::string path_;
  OpenMode mode_ = OpenMode::kMap;
  IndexHeader header_;
  std::vector<Section> sections_;
  std::byte* base_ = nullptr;
  std::shared_ptr<void> owner_;
};

/// Collects sections and writes the file in one go: temporary file beside the target, fsync, rename, fsync of the directory.
class IndexFileWriter {
 public:
  /// `version`: the first that a file with these sections can be read by.
  IndexFileWriter(IndexKind kind, Metric metric, uint32_t dim, uint64_t count, uint32_t version = kFirstVersion);

  /// `data` is borrowed until write(). Tags have at most 8 characters.
  void add(std::string tag, const void* data, size_t bytes);

  template <class T>
  void add(std::string tag, std::span<const T> values) {
    add(std::move(tag), values.data(), values.size_bytes());
  }

  void write(const std::string& path) const;

 private:
  struct Pending {
    std::string tag;
    const void* data;
    size_t bytes;
  };
  IndexHeader header_;
  std::vector<Pending> pending_;
};

}  // namespace nigh
