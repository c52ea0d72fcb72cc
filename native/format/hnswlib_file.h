// The file that hnswlib writes (Malkov's library, all its language bindings), read with suspicion and written so that it opens
// it.
//
//   header    96 bytes: offsetLevel0 (0), maxElements, count, bytesPerElement, labelOffset, dataOffset (u64 each),
//             maxLevel (i32), entry (u32), maxM, maxM0, M (u64 each), mult (f64), efConstruction (u64)
//   level 0   count elements: number of links (u16), deleted mark (u8, bit 0), unused (u8), maxM0 links (u32), dim × f32,
//             label (u64)
//   upper     count lists: bytes (u32), then for every level from 1: number of links (u16), unused (u16), maxM links (u32)
//
// Numbers are little-endian. The metric is not in the file, and there is no checksum: an altered vector or label that is still
// valid cannot be told from a true one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace nigh {

struct HnswlibHeader {
  uint64_t max_elements = 0;
  size_t count = 0;
  size_t dim = 0;
  int32_t max_level = -1;       // −1 and
  uint32_t entry = 0xffffffff;  // 2^32 − 1 in an empty index
  size_t max_m = 0;             // room for links on a level from 1
  size_t max_m0 = 0;            // on level 0
  uint64_t ef_construction = 0;
};

/// Gives the content in the order of the file, some megabytes at a time: every element, then for every element its top level and
/// the links on each level from 1. Whatever is given was checked: counts within their room, links to other elements that exist.
/// Every function throws FORMAT, TRUNCATED, IO.
class HnswlibReader {
 public:
  /// What is borrowed is good until the next call.
  struct Element {
    std::span<const uint32_t> links;
    std::span<const float> vector;
    uint64_t label;
    bool deleted;
  };

  /// Reads and checks the header; also throws NOT_FOUND.
  explicit HnswlibReader(const std::string& path);

  const HnswlibHeader& header() const { return header_; }

  Element next_element();
  size_t next_level();
  std::span<const uint32_t> next_links(size_t level);
  /// Checks what only the whole file shows: the entry point is on the top level, no link leads to an element below its level, and
  /// nothing follows.
  void finish();

  [[noreturn]] void wrong(const std::string& what) const;

 private:
  const char* take(size_t bytes);
  std::span<const uint32_t> links_at(const char* list, size_t room, size_t owner);

  InputFile file_;
  std::string path_;
  HnswlibHeader header_;
  size_t element_bytes_ = 0;

  std::vector<char> block_;
  size_t at_ = 0;        // of the next byte in block_
  uint64_t offset_ = 0;  // of the end of block_ in the file

  size_t elements_read_ = 0;
  size_t lists_read_ = 0;
  std::vector<uint32_t> links_;
  std::vector<float> vector_;
  std::vector<uint8_t> levels_;  // top level of each element
  std::vector<uint8_t> needed_;  // the highest level on which something links to it
};

/// Takes the content in the order of the file. The file appears whole at commit() or not at all.
class HnswlibWriter {
 public:
  /// Throws IO.
  HnswlibWriter(const std::string& path, const HnswlibHeader& header);

  /// At most header.max_m0 links; dim values.
  void element(std::span<const uint32_t> links, const float* vector, uint64_t label);
  /// Once an element, after all elements: its top level, and then that many times links().
  void level(size_t level);
  void links(std::span<const uint32_t> links);
  void commit();

 private:
  void put(const void* data, size_t bytes);
  void put_list(std::span<const uint32_t> links, size_t room);
  void flush();

  OutputFile file_;
  HnswlibHeader header_;
  std::vector<char> block_;
};

}  // namespace nigh
