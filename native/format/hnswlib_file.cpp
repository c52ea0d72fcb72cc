#include "format/hnswlib_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace nigh {

namespace {

static_assert(std::endian::native == std::endian::little, "the file is read and written as it lies in memory");

constexpr size_t kHeaderBytes = 96;
constexpr size_t kListHead = 4;  // number of links (u16), mark (u8), unused (u8)
constexpr size_t kLabelBytes = 8;
constexpr size_t kBlockBytes = 4 << 20;
constexpr uint64_t kMaxDim = 1 << 20;
constexpr uint64_t kMaxLinks = 0xffff;  // a list counts them in 16 bits
constexpr size_t kMaxLevel = 255;

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

void HnswlibReader::wrong(const std::string& what) const {
  throw Error("FORMAT", path_ + ": not a valid hnswlib index: " + what + ".");
}

HnswlibReader::HnswlibReader(const std::string& path) : file_(path), path_(path) {
  if (file_.size() < kHeaderBytes) wrong("it is shorter than a header");
  const char* raw = take(kHeaderBytes);
  const auto field = [&](size_t position) { return load<uint64_t>(raw + position); };
  const uint64_t offset_level0 = field(0), max_elements = field(8), count = field(16), element_bytes = field(24);
  const uint64_t label_offset = field(32), data_offset = field(40), max_m = field(56), max_m0 = field(64), m = field(72);
  if (offset_level0 != 0) wrong("offsetLevel0 should be 0");
  if (max_m0 < 1 || max_m0 > kMaxLinks || max_m < 1 || max_m > kMaxLinks || m != max_m) wrong("M, maxM or maxM0 is out of range");
  if (data_offset != kListHead + 4 * max_m0) wrong("dataOffset contradicts maxM0");
  if (label_offset <= data_offset || (label_offset - data_offset) % 4 != 0 || (label_offset - data_offset) / 4 > kMaxDim) {
    wrong("labelOffset is out of range");
  }
  if (element_bytes != label_offset + kLabelBytes) wrong("bytesPerElement contradicts labelOffset");
  if (count > (file_.size() - kHeaderBytes) / element_bytes) {
    throw Error("TRUNCATED", path_ + ": an hnswlib index of " + std::to_string(count) + " elements of " +
                                 std::to_string(element_bytes) + " bytes is longer than the file.");
  }
  if (count > max_elements || count > 0xfffffffeu) wrong("the number of elements is out of range");
  const auto max_level = load<int32_t>(raw + 48);
  const auto entry = load<uint32_t>(raw + 52);
  if (count == 0 ? max_level != -1 || entry != 0xffffffff
                 : max_level < 0 || max_level > static_cast<int32_t>(kMaxLevel) || entry >= count) {
    wrong("the entry point is out of range");
  }
  if (!std::isfinite(load<double>(raw + 80))) wrong("mult is not finite");
  element_bytes_ = element_bytes;
  header_ = {max_elements,
             static_cast<size_t>(count),
             static_cast<size_t>((label_offset - data_offset) / 4),
             max_level,
             entry,
             static_cast<size_t>(max_m),
             static_cast<size_t>(max_m0),
             field(88)};
  levels_.resize(header_.count);
  needed_.resize(header_.count);
}

const char* HnswlibReader::take(size_t bytes) {
  if (bytes > block_.size() - at_) {
    const uint64_t left = file_.size() - offset_;
    const size_t kept = block_.size() - at_;
    if (bytes - kept > left) throw Error("TRUNCATED", path_ + ": the hnswlib index is cut short.");
    block_.erase(block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(at_));
    const auto more = static_cast<size_t>(std::min<uint64_t>(left, std::max(bytes, kBlockBytes) - kept));
    block_.resize(kept + more);
    file_.read(offset_, block_.data() + kept, more);
    offset_ += more;
    at_ = 0;
  }
  const char* taken = block_.data() + at_;
  at_ += bytes;
  return taken;
}

std::span<const uint32_t> HnswlibReader::links_at(const char* list, size_t room, size_t owner) {
  const size_t size = load<uint16_t>(list);
  if (size > room) wrong("element " + std::to_string(owner) + " has more links than room");
  links_.resize(size);
  if (size != 0) std::memcpy(links_.data(), list + kListHead, size * 4);
  for (const uint32_t link : links_) {
    if (link >= header_.count) wrong("a link of element " + std::to_string(owner) + " leads out of the graph");
    if (link == owner) wrong("element " + std::to_string(owner) + " links to itself");
  }
  return links_;
}

HnswlibReader::Element HnswlibReader::next_element() {
  const char* raw = take(element_bytes_);
  const size_t data_offset = kListHead + 4 * header_.max_m0;
  vector_.resize(header_.dim);
  std::memcpy(vector_.data(), raw + data_offset, header_.dim * 4);
  const bool deleted = (raw[2] & 1) != 0;
  const auto label = load<uint64_t>(raw + data_offset + header_.dim * 4);
  const auto links = links_at(raw, header_.max_m0, elements_read_++);
  return {links, vector_, label, deleted};
}

size_t HnswlibReader::next_level() {
  const size_t bytes = load<uint32_t>(take(4));
  const size_t list_bytes = kListHead + 4 * header_.max_m;
  const size_t level = bytes / list_bytes;
  if (bytes % list_bytes != 0 || level > static_cast<size_t>(std::max(header_.max_level, 0))) {
    wrong("element " + std::to_string(lists_read_) + " has link lists of a wrong size");
  }
  levels_[lists_read_++] = static_cast<uint8_t>(level);
  return level;
}

std::span<const uint32_t> HnswlibReader::next_links(size_t level) {
  const auto links = links_at(take(kListHead + 4 * header_.max_m), header_.max_m, lists_read_ - 1);
  for (const uint32_t link : links) needed_[link] = std::max(needed_[link], static_cast<uint8_t>(level));
  return links;
}

void HnswlibReader::finish() {
  if (at_ != block_.size() || offset_ != file_.size()) wrong("the file is longer than its content");
  if (header_.count != 0 && levels_[header_.entry] != header_.max_level) wrong("the entry point is not on the top level");
  for (size_t i = 0; i < header_.count; ++i) {
    if (needed_[i] > levels_[i]) wrong("a link leads to element " + std::to_string(i) + " above its top level");
  }
}

HnswlibWriter::HnswlibWriter(const std::string& path, const HnswlibHeader& header) : file_(path), header_(header) {
  const uint64_t data_offset = kListHead + 4 * header.max_m0;
  const uint64_t label_offset = data_offset + 4 * header.dim;
  const double mult = 1.0 / std::log(static_cast<double>(header.max_m));
  const auto number = [&](uint64_t value) { put(&value, sizeof value); };
  number(0);
  number(header.max_elements);
  number(header.count);
  number(label_offset + kLabelBytes);
  number(label_offset);
  number(data_offset);
  put(&header.max_level, 4);
  put(&header.entry, 4);
  number(header.max_m);
  number(header.max_m0);
  number(header.max_m);
  put(&mult, sizeof mult);
  number(header.ef_construction);
}

void HnswlibWriter::element(std::span<const uint32_t> links, const float* vector, uint64_t label) {
  put_list(links, header_.max_m0);
  put(vector, header_.dim * 4);
  put(&label, sizeof label);
}

void HnswlibWriter::level(size_t level) {
  const auto bytes = static_cast<uint32_t>(level * (kListHead + 4 * header_.max_m));
  put(&bytes, sizeof bytes);
}

void HnswlibWriter::links(std::span<const uint32_t> links) { put_list(links, header_.max_m); }

void HnswlibWriter::commit() {
  flush();
  file_.commit();
}

void HnswlibWriter::put_list(std::span<const uint32_t> links, size_t room) {
  const auto size = static_cast<uint32_t>(links.size());
  put(&size, sizeof size);
  put(links.data(), links.size_bytes());
  block_.resize(block_.size() + (room - links.size()) * 4);
}

void HnswlibWriter::put(const void* data, size_t bytes) {
  const auto* from = static_cast<const char*>(data);
  block_.insert(block_.end(), from, from + bytes);
  if (block_.size() >= kBlockBytes) flush();
}

void HnswlibWriter::flush() {
  file_.write(block_.data(), block_.size());
  block_.clear();
}

}  // namespace nigh
