#include "base/file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#if defined(_WIN32)
#include <io.h>
#include <process.h>
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "base/error.h"

namespace nigh {

namespace {

[[noreturn]] void fail(const std::string& path, const char* action) {
  const int error = errno;
  throw Error(error == ENOENT ? "NOT_FOUND" : "IO", path + ": cannot " + action + ": " + std::strerror(error) + ".");
}

#if defined(_WIN32)
constexpr int kReadFlags = _O_RDONLY | _O_BINARY;
constexpr int kWriteFlags = _O_WRONLY | _O_CREAT | _O_TRUNC | _O_BINARY;
int open_file(const char* path, int flags) { return _open(path, flags, _S_IREAD | _S_IWRITE); }
void close_file(int descriptor) { _close(descriptor); }
long long write_some(int descriptor, const void* data, size_t bytes) {
  return _write(descriptor, data, static_cast<unsigned>(std::min<size_t>(bytes, 1u << 30)));
}
int sync_file(int descriptor) { return _commit(descriptor); }
int process_id() { return _getpid(); }
#else
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC;
constexpr int kWriteFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
int open_file(const char* path, int flags) { return ::open(path, flags, 0644); }
void close_file(int descriptor) { ::close(descriptor); }
long long write_some(int descriptor, const void* data, size_t bytes) { return ::write(descriptor, data, bytes); }
int sync_file(int descriptor) { return ::fsync(descriptor); }
int process_id() { return ::getpid(); }
#endif

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path), descriptor_(open_file(path.c_str(), kReadFlags)) {
  if (descriptor_ < 0) fail(path, "open");
  struct stat info;
  if (fstat(descriptor_, &info) != 0 || (info.st_mode & S_IFMT) != S_IFREG) {
    close_file(descriptor_);
    throw Error("IO", path + ": not a regular file.");
  }
  size_ = static_cast<uint64_t>(info.st_size);
}

InputFile::~InputFile() { close_file(descriptor_); }

void InputFile::read(uint64_t offset, void* out, size_t bytes) const {
  auto* target = static_cast<char*>(out);
#if defined(_WIN32)
  if (_lseeki64(descriptor_, static_cast<long long>(offset), SEEK_SET) < 0) fail(path_, "seek in");
#endif
  while (bytes != 0) {
#if defined(_WIN32)
    const long long got = _read(descriptor_, target, static_cast<unsigned>(std::min<size_t>(bytes, 1u << 30)));
#else
    const long long got = ::pread(descriptor_, target, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
#endif
    if (got < 0) fail(path_, "read");
    if (got == 0) throw Error("TRUNCATED", path_ + ": ended before the expected length.");
    target += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<size_t>(got);
  }
}

std::shared_ptr<void> InputFile::map() const {
  const size_t bytes = static_cast<size_t>(size_);
#if defined(_WIN32)
  HANDLE mapping =
      CreateFileMappingW(reinterpret_cast<HANDLE>(_get_osfhandle(descriptor_)), nullptr, PAGE_READONLY, 0, 0, nullptr);
  void* memory = mapping == nullptr ? nullptr : MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, bytes);
  if (mapping != nullptr) CloseHandle(mapping);
  if (memory == nullptr) throw Error("IO", path_ + ": cannot map.");
  return {memory, [](void* m) { UnmapViewOfFile(m); }};
#else
  void* memory = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor_, 0);
  if (memory == MAP_FAILED) fail(path_, "map");
  return {memory, [bytes](void* m) { ::munmap(m, bytes); }};
#endif
}

namespace {

// Two that write to the same path at once write to files of their own, and the last one to finish is what stays.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> next{0};
  return path + ".tmp-" + std::to_string(process_id()) + "-" + std::to_string(next.fetch_add(1));
}

}  // namespace

OutputFile::OutputFile(const std::string& path)
    : path_(path), temporary_(temporary_name(path)), descriptor_(open_file(temporary_.c_str(), kWriteFlags)) {
  if (descriptor_ < 0) fail(temporary_, "create");
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close_file(descriptor_);
  if (!committed_) std::remove(temporary_.c_str());
}

void OutputFile::write(const void* data, size_t bytes) {
  const auto* source = static_cast<const char*>(data);
  while (bytes != 0) {
    const long long put = write_some(descriptor_, source, bytes);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) fail(temporary_, "write");
    source += put;
    offset_ += static_cast<uint64_t>(put);
    bytes -= static_cast<size_t>(put);
  }
}

void OutputFile::pad_to(uint64_t offset) {
  const std::vector<char> zeros(static_cast<size_t>(offset - offset_), 0);
  write(zeros.data(), zeros.size());
}

void OutputFile::commit() {
  if (sync_file(descriptor_) != 0) fail(temporary_, "flush");
  close_file(descriptor_);
  descriptor_ = -1;
#if defined(_WIN32)
  if (!MoveFileExA(temporary_.c_str(), path_.c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
    throw Error("IO", path_ + ": cannot rename the finished file into place.");
  }
#else
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "rename the finished file to");
#endif
  committed_ = true;
#if !defined(_WIN32)
  const size_t slash = path_.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  const int handle = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) fail(directory, "open");
  const int synced = ::fsync(handle);
  ::close(handle);
  if (synced != 0) fail(directory, "flush");
#endif
}

}  // namespace nigh
