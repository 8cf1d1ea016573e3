// Pillow's resize to a small image, bit for bit, fed row by row and without holding the image.
#pragma once

#include <cstdint>
#include <optional>

#include "imgmill/image/image.h"
#include "imgmill/memory/pool_array.h"
#include "signals/resize_pass.h"

namespace imgmill {

/// Resizes 8-bit rows of 1 or 3 bands to a fixed small size in two passes, with 8 bits between them. A
/// direction whose size is right already is left alone. As Pillow 13 it goes across first, unless the height
/// shrinks by more than twice as many pixels as the width. (Before 13 Pillow always went across first: a tall
/// image's hash may differ by a bit or two from one made with it.)
class SmallResize {
 public:
  /// @param input  8-bit, 1 or 3 bands, not empty.
  SmallResize(const Layout& input, int64_t width, int64_t height,
              ResizeFilter filter = ResizeFilter::kLanczos)
      : SmallResize(input, {input.width, width}, {input.height, height}, filter) {}
  /// Only a part of what it comes to.
  SmallResize(const Layout& input, const ResizeAxis& across, const ResizeAxis& down, ResizeFilter filter);
  void Add(const ImageView& rows);
  /// After the last row: height rows of width pixels, bands interleaved.
  const uint8_t* Finish();
  static size_t PooledBytes(const Layout& input, int64_t width, int64_t height,
                            ResizeFilter filter = ResizeFilter::kLanczos) {
    return PooledBytes(input, {input.width, width}, {input.height, height}, filter);
  }
  static size_t PooledBytes(const Layout& input, const ResizeAxis& across, const ResizeAxis& down,
                            ResizeFilter filter);

 private:
  void Emit(const uint8_t* row);

  Layout input_;
  ResizeAxis across_axis_, down_axis_;
  size_t output_length_;
  bool down_first_;
  std::optional<AcrossPass> across_;
  std::optional<DownPass> down_;
  PoolArray<uint8_t> between_;
  PoolArray<uint8_t> output_;
  size_t emitted_ = 0;
  int64_t seen_ = 0;  ///< rows, where the height is right already
};

}  // namespace imgmill
