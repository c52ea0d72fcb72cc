// A fixed-length array that either owns 64-byte aligned memory or borrows a section of a mapped file. Code that reads an
// index does not care which.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace nigh {

/// 64-byte aligned, zeroed memory; above 4 MiB the system is asked for huge pages. Throws OUT_OF_MEMORY.
void* allocate_aligned(size_t bytes);
void free_aligned(void* memory) noexcept;

template <class T>
class Buffer {
 public:
  Buffer() = default;

  /// Owned and zeroed.
  explicit Buffer(size_t size) : size_(size) {
    if (size == 0) return;
    memory_ = std::shared_ptr<void>(allocate_aligned(size * sizeof(T)), free_aligned);
    data_ = static_cast<T*>(memory_.get());
  }

  /// Borrowed: `owner` keeps `data` alive.
  Buffer(T* data, size_t size, std::shared_ptr<void> owner) : data_(data), size_(size), memory_(std::move(owner)) {}

  /// An owned copy with room for `size` ≥ this->size() elements.
  Buffer grown(size_t size) const {
    Buffer out(size);
    if (size_ != 0) std::memcpy(out.data_, data_, size_ * sizeof(T));
    return out;
  }

  T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) const { return data_[i]; }
  std::span<const T> span() const { return {data_, size_}; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
  std::shared_ptr<void> memory_;
};

}  // namespace nigh
