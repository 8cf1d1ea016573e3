// The share of an image that is text: cells of 16x16 pixels, each judged by its strokes and its neighbours'.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "imgmill/memory/pool_array.h"
#include "signals/text_kernels.h"
#include "signals/text_network.h"

namespace imgmill {

/// Feeds on rows of luma, top to bottom; holds 32 of them, of half the width where both sides are 512 and
/// more: there it looks at the means of 2x2 pixels.
class TextBlocks {
 public:
  /// @param width, height  of the image, 1 or more
  TextBlocks(int64_t width, int64_t height);
  /// @param above  the row before; of the first row anything
  void Add(const uint8_t* above, const uint8_t* luma);
  /// After the last row: percent of the whole cells; nothing if there is none.
  std::optional<double> Finish();
  static size_t PooledBytes(int64_t width, int64_t height);

 private:
  uint8_t* Row(size_t y);
  void EndCells();

  const TextKernels& kernels_ = BestTextKernels();
  const bool halved_;
  const size_t width_;  // of what is looked at
  const size_t height_;
  const size_t across_;  // cells
  const size_t down_;
  const size_t stride_;  // of a row with its margins
  PoolArray<uint8_t> rows_;
  size_t seen_ = 0;   // rows of the image
  size_t next_ = 0;   // row of what is looked at
  size_t ended_ = 0;  // rows of cells
  TextNetwork network_;
};

}  // namespace imgmill
