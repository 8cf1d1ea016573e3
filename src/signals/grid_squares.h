// Squares of an image as it is, on a grid: for networks that judge details, which a resize would change.
#pragma once

#include <vector>

#include "imgmill/base/model_input.h"
#include "imgmill/image/image.h"
#include "imgmill/memory/pool.h"

namespace imgmill {

/// pyiqa's uniform_crop: of n x n squares with sides of `side` pixels, the first begins at the first pixel,
/// and each next one an n-th of what the image has beyond one square later. An image whose shorter side is
/// `side` or less is first enlarged to a pixel more, bilinearly, as PyTorch does it.
class GridSquares {
 public:
  /// @param layout  of the whole image: 8-bit, 3 bands, at least 1x1.
  /// @throws OutOfMemory
  GridSquares(const ModelInput& input, const Layout& layout);
  void Add(const ImageView& rows);
  /// After the last row: fills n * n times 3 x side x side floats, one band after another.
  void Finish(float* planes);
  /// Bytes it takes from the current pool, at most.
  static size_t PooledBytes(const ModelInput& input);

 private:
  /// One axis of one place on the grid: which pixels of the image are seen, and what each is made of.
  struct Axis {
    int64_t first = 0, length = 0;
    std::vector<int> below;    ///< the pixel before each place, from `first`
    std::vector<int> above;    ///< and the one after it
    std::vector<float> share;  ///< that the latter has
  };
  static std::vector<Axis> Axes(const ModelInput& input, int64_t length, int64_t shorter);

  uint8_t* Row(size_t down, size_t across, int64_t y);

  const ModelInput input_;
  std::vector<Axis> across_, down_;
  std::vector<Buffer> squares_;  ///< as they are in the image
  int64_t next_row_ = 0;
};

}  // namespace imgmill
