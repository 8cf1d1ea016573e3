// A small learned network that tells cells of text from others by what was measured of them and their
// neighbours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "imgmill/memory/pool_array.h"
#include "signals/text_kernels.h"

namespace imgmill {

/// Values that the network is told of a cell: see TextBlocks.
inline constexpr size_t kCellFeatures = kStrokeSums + 4;

/// Feeds on rows of cells, top to bottom: a layer on each cell, then two on 3x3 cells. Beyond the edges its
/// layers are 0.
class TextNetwork {
 public:
  /// @param cells  in a row, 1 or more
  explicit TextNetwork(size_t cells);
  /// Where one value of each cell of the next row is to be put.
  float* Feature(size_t i) { return features_.data() + i * stride_; }
  void AddRow();
  /// After the last row: how many cells are text.
  uint64_t Finish();
  static size_t PooledBytes(size_t cells);

  static constexpr size_t kFirst = 12, kSecond = 8;  ///< values of a cell after the first and second layer

 private:
  void EndSecond(bool has_row_above);
  void Judge();

  const TextKernels& kernels_ = BestTextKernels();
  const size_t cells_;
  const size_t stride_;  // of a row of one value, with margins
  PoolArray<float> features_, verdicts_;
  // Rows of the layers: that above, the present one, that below.
  std::array<PoolArray<float>, 3> first_, second_;
  uint64_t rows_ = 0;  // of the first layer
  uint64_t text_ = 0;  // cells
};

}  // namespace imgmill
