// What can be told of an image's colours from its pixels: whether it shows any, and whether it was made of
// few.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "imgmill/image/image.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

struct ImageColours {
  bool shown = false;  ///< see kShownColour
  /// How many different ones, if those are so few that somebody chose them: at most 256, with 16 pixels each
  /// on average, and not all over in areas of one colour, as drawings have them. 0 for every other image.
  ///
  /// A drawing is told by the pixels that equal both the one to the left and the one above: it has more than
  /// three quarters of them (of 14 icons and diagrams that Debian installs 13 have 0.84 and more, a shaded
  /// one 0.64). Photos (50 of BSDS500's validation part) reduced to 256 colours by Pillow have at most 0.33,
  /// to 64 0.47, to 16 0.67, to 8 0.80, with dither less.
  int few = 0;
};

/// Feeds on rows, 8-bit of 1 or 3 bands.
class ColourMeter {
 public:
  static constexpr int kMostFew = 256;

  /// @param layout  of the whole image as it is read
  /// @param shrink  by how much its sides were divided: 1, 2, 4 or 8
  /// @param counts  whether `few` is wanted
  ColourMeter(const Layout& layout, int shrink, bool counts);
  void Add(const ImageView& rows);
  ImageColours Finish();
  static size_t PooledBytes(const Layout& layout);

 private:
  void AddToBlocks(const uint8_t* row);
  void EndBlocks();
  void Count(const uint8_t* row);
  void Note(uint32_t colour);

  const size_t width_;
  const size_t bands_;
  const size_t block_;    // side, in pixels as read
  const size_t columns_;  // of whole blocks; an image that is smaller than a block is one
  bool shown_ = false;
  size_t rows_in_block_ = 0;
  bool had_block_ = false;
  PoolArray<uint32_t> sums_;

  bool counts_;  // until there are too many
  int different_ = 0;
  std::array<uint32_t, 1024> seen_ = {};  // colour + 1, by a hash of it
  PoolArray<uint8_t> above_;
  int64_t rows_ = 0;
  int64_t equal_ = 0;
};

}  // namespace imgmill
