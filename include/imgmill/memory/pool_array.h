// A fixed array of plain values in the current pool, so that what a search or a filter holds is charged.
#pragma once

#include <cstring>
#include <span>
#include <type_traits>

#include "imgmill/memory/pool.h"

namespace imgmill {

/// Uninitialised unless Fill is called. T is copied by memcpy.
template <typename T>
class PoolArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  PoolArray() = default;
  /// @throws OutOfMemory
  explicit PoolArray(size_t size) : buffer_(size * sizeof(T)), size_(size) {}

  T* data() { return reinterpret_cast<T*>(buffer_.data()); }
  const T* data() const { return reinterpret_cast<const T*>(buffer_.data()); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  std::span<T> span() { return {data(), size_}; }
  std::span<const T> span() const { return {data(), size_}; }
  void Fill(const T& value) {
    for (T& item : *this) item = value;
  }

 private:
  Buffer buffer_;
  size_t size_ = 0;
};

}  // namespace imgmill
