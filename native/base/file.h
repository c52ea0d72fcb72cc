// Files as the formats need them: positioned reads, read-only maps, and a writer whose result appears whole or not at all.
// POSIX and Windows differ only in file.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace nigh {

class InputFile {
 public:
  /// Throws NOT_FOUND or IO.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  uint64_t size() const { return size_; }
  /// Exactly `bytes` bytes from `offset`. Throws TRUNCATED when the file ends before, IO when reading fails.
  void read(uint64_t offset, void* out, size_t bytes) const;
  /// The whole file, read-only; the map outlives this object. Throws IO.
  std::shared_ptr<void> map() const;

 private:
  std::string path_;
  int descriptor_;
  uint64_t size_ = 0;
};

class OutputFile {
 public:
  /// Writes to a temporary file beside `path`. Throws IO.
  explicit OutputFile(const std::string& path);
  /// Removes the temporary file unless commit() succeeded.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const void* data, size_t bytes);
  /// Zeros up to this offset.
  void pad_to(uint64_t offset);
  /// fsync, rename over `path`, fsync of the directory.
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_;
  uint64_t offset_ = 0;
  bool committed_ = false;
};

}  // namespace nigh
