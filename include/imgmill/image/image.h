// Pixels in memory: a strip or a small image, interleaved, in a buffer from our pools.
#pragma once

#include <cstddef>
#include <cstdint>

#include "imgmill/memory/pool.h"

namespace imgmill {

enum class Sample : uint8_t { kU8, kU16, kF32 };
inline size_t BytesPerSample(Sample s) {
  return s == Sample::kU8 ? 1 : s == Sample::kU16 ? 2 : 4;
}

/// What the values of a pixel mean and how they are laid out in memory. After the decode contract only these
/// exist: 1 band (grey), 2 (grey + alpha), 3 (sRGB), 4 (sRGB + alpha); alpha is never premultiplied.
struct Layout {
  int64_t width = 0;
  int64_t height = 0;
  int bands = 0;
  Sample sample = Sample::kU8;

  bool has_alpha() const { return bands == 2 || bands == 4; }
  int colour_bands() const { return has_alpha() ? bands - 1 : bands; }
  size_t row_bytes() const {
    return static_cast<size_t>(width) * static_cast<size_t>(bands) * BytesPerSample(sample);
  }
  bool operator==(const Layout&) const = default;
};

/// Rows somebody else owns.
struct ImageView {
  const uint8_t* data = nullptr;
  Layout layout;      ///< height is the number of rows here
  size_t stride = 0;  ///< bytes from one row to the next
  const uint8_t* row(int64_t y) const { return data + static_cast<size_t>(y) * stride; }
};

/// Rows of our own, packed (stride = row_bytes).
class Image {
 public:
  Image() = default;
  explicit Image(const Layout& layout)
      : layout_(layout), pixels_(layout.row_bytes() * static_cast<size_t>(layout.height)) {}
  const Layout& layout() const { return layout_; }
  uint8_t* row(int64_t y) { return pixels_.data() + static_cast<size_t>(y) * layout_.row_bytes(); }
  const uint8_t* row(int64_t y) const {
    return pixels_.data() + static_cast<size_t>(y) * layout_.row_bytes();
  }
  ImageView view() const { return {pixels_.data(), layout_, layout_.row_bytes()}; }
  explicit operator bool() const { return static_cast<bool>(pixels_); }

 private:
  Layout layout_;
  Buffer pixels_;
};

}  // namespace imgmill
