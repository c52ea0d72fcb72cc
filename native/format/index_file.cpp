#include "format/index_file.h"

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "format/crc32c.h"

namespace nigh {

namespace {

constexpr char kMagic[8] = {'n', 'i', 'g', 'h', 'a', 'n', 'n', '\n'};
constexpr size_t kAlignment = 64;
constexpr uint32_t kMaxSections = 64;

// As it lies in the file, little-endian. FORMAT.md has the same table.
struct RawHeader {
  char magic[8];
  uint32_t version;
  uint32_t section_count;
  uint32_t kind;
  uint32_t metric;
  uint32_t dim;
  uint32_t reserved0;
  uint64_t count;
  uint64_t file_bytes;
  uint64_t reserved1;
  uint32_t reserved2;
  uint32_t crc;  // of header and section table, this field taken as 0
};
static_assert(sizeof(RawHeader) == 64);

struct RawSection {
  char tag[8];
  uint64_t offset;
  uint64_t bytes;
  uint32_t crc;
  uint32_t reserved;
};
static_assert(sizeof(RawSection) == 32);

uint64_t align_up(uint64_t value) { return (value + kAlignment - 1) / kAlignment * kAlignment; }

uint32_t header_crc(RawHeader header, const std::vector<RawSection>& sections) {
  header.crc = 0;
  return crc32c(sections.data(), sections.size() * sizeof(RawSection), crc32c(&header, sizeof header));
}

}  // namespace

IndexFile IndexFile::inspect(const std::string& path) { return describe(InputFile(path), path); }

IndexFile IndexFile::describe(const InputFile& input, const std::string& path) {
  const uint64_t actual = input.size();
  RawHeader raw;
  if (actual < sizeof raw) {
    throw Error("TRUNCATED", path + ": expected an index file of at least 64 bytes, got " + std::to_string(actual) + ".");
  }
  input.read(0, &raw, sizeof raw);
  if (std::memcmp(raw.magic, kMagic, sizeof kMagic) != 0) {
    throw Error("FORMAT", path + ": not a nigh index file (the first 8 bytes are not \"nighann\\n\").");
  }
  if (raw.version < kFirstVersion || raw.version > kLastVersion) {
    throw Error("VERSION_UNSUPPORTED", path + ": format version " + std::to_string(raw.version) +
                                           "; this release reads up to version " + std::to_string(kLastVersion) + ".");
  }
  if (raw.section_count > kMaxSections) throw Error("FORMAT", path + ": the section count is out of range.");
  const uint64_t table_bytes = raw.section_count * sizeof(RawSection);
  if (actual < sizeof raw + table_bytes) throw Error("TRUNCATED", path + ": cut short inside the section table.");
  std::vector<RawSection> table(raw.section_count);
  input.read(sizeof raw, table.data(), table_bytes);
  if (header_crc(raw, table) != raw.crc) throw Error("CHECKSUM_MISMATCH", path + ": the header was altered.");

  if (raw.file_bytes != actual) {
    throw Error("TRUNCATED",
                path + ": expected " + std::to_string(raw.file_bytes) + " bytes, got " + std::to_string(actual) + ".");
  }
  if (raw.kind < static_cast<uint32_t>(IndexKind::kFlat) || raw.kind > static_cast<uint32_t>(IndexKind::kSparse)) {
    throw Error("FORMAT", path + ": unknown index kind " + std::to_string(raw.kind) + ".");
  }
  if (raw.metric >= kMetrics) {
    throw Error("FORMAT", path + ": unknown metric " + std::to_string(raw.metric) + ".");
  }
  const uint32_t most_dims = raw.kind == static_cast<uint32_t>(IndexKind::kSparse) ? 0xfffffffeu : 1u << 16;
  if (raw.dim == 0 || raw.dim > most_dims || raw.count >= 0xffffffffu) {
    throw Error("FORMAT", path + ": dimension or count out of range.");
  }

  IndexFile file;
  file.path_ = path;
  file.header_ = {raw.version,   static_cast<IndexKind>(raw.kind), static_cast<Metric>(raw.metric), raw.dim, raw.count,
                  raw.file_bytes};
  for (const RawSection& section : table) {
    const bool inside = section.offset % kAlignment == 0 && section.offset >= sizeof raw + table_bytes &&
                        section.offset <= actual && section.bytes <= actual - section.offset;
    if (!inside) throw Error("FORMAT", path + ": a section lies outside the file.");
    file.sections_.push_back(
        {std::string(section.tag, strnlen(section.tag, sizeof section.tag)), section.offset, section.bytes, section.crc});
  }
  return file;
}

IndexFile IndexFile::open(const std::string& path, OpenMode mode) {
  // Opened once: by its name the table of one file and the content of another that has replaced it might be read.
  const InputFile input(path);
  IndexFile file = describe(input, path);
  file.mode_ = mode;
  if (mode == OpenMode::kMap) {
    file.owner_ = input.map();
  } else {
    file.owner_ = std::shared_ptr<void>(allocate_aligned(file.header_.file_bytes), free_aligned);
    input.read(0, file.owner_.get(), file.header_.file_bytes);
  }
  file.base_ = static_cast<std::byte*>(file.owner_.get());
  if (mode == OpenMode::kMemory) file.verify();
  return file;
}

void IndexFile::verify() const {
  for (const Section& section : sections_) {
    if (crc32c(base_ + section.offset, section.bytes) != section.crc) {
      throw Error("CHECKSUM_MISMATCH", path_ + ": section '" + section.tag + "' was altered.");
    }
  }
}

bool IndexFile::has(std::string_view tag) const {
  for (const Section& section : sections_) {
    if (section.tag == tag) return true;
  }
  return false;
}

const IndexFile::Section& IndexFile::find(std::string_view tag) const {
  for (const Section& section : sections_) {
    if (section.tag == tag) return section;
  }
  throw Error("FORMAT", path_ + ": section '" + std::string(tag) + "' is missing.");
}

void IndexFile::wrong_size(const Section& section, size_t expected_bytes) const {
  throw Error("FORMAT", path_ + ": section '" + section.tag + "' should have " + std::to_string(expected_bytes) + " bytes, has " +
                            std::to_string(section.bytes) + ".");
}

IndexFileWriter::IndexFileWriter(IndexKind kind, Metric metric, uint32_t dim, uint64_t count, uint32_t version)
    : header_{version, kind, metric, dim, count, 0} {}

void IndexFileWriter::add(std::string tag, const void* data, size_t bytes) { pending_.push_back({std::move(tag), data, bytes}); }

void IndexFileWriter::write(const std::string& path) const {
  std::vector<RawSection> table;
  uint64_t offset = align_up(sizeof(RawHeader) + pending_.size() * sizeof(RawSection));
  for (const Pending& section : pending_) {
    RawSection raw{};
    std::memcpy(raw.tag, section.tag.data(), std::min(section.tag.size(), sizeof raw.tag));
    raw.offset = offset;
    raw.bytes = section.bytes;
    raw.crc = crc32c(section.data, section.bytes);
    table.push_back(raw);
    offset = align_up(offset + section.bytes);
  }
  RawHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = header_.version;
  header.section_count = static_cast<uint32_t>(table.size());
  header.kind = static_cast<uint32_t>(header_.kind);
  header.metric = static_cast<uint32_t>(header_.metric);
  header.dim = header_.dim;
  header.count = header_.count;
  header.file_bytes = offset;
  header.crc = header_crc(header, table);

  OutputFile output(path);
  output.write(&header, sizeof header);
  output.write(table.data(), table.size() * sizeof(RawSection));
  for (size_t i = 0; i < pending_.size(); ++i) {
    output.pad_to(table[i].offset);
    output.write(pending_[i].data, pending_[i].bytes);
  }
  output.pad_to(offset);
  output.commit();
}

}  // namespace nigh
