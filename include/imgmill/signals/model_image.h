// What a model is shown of an image: a small square of floats, or several, made row by row.
#pragma once

#include <cstddef>
#include <memory>

#include "imgmill/base/model_input.h"
#include "imgmill/image/image.h"

namespace imgmill {

/// Resizes 8-bit RGB rows as Pillow does by the same filter (an average when shrinking), bit for bit; or cuts
/// squares out of them.
class ModelImage {
 public:
  /// @param layout  of the whole image: 8-bit, 3 bands, at least 1x1.
  /// @throws OutOfMemory
  ModelImage(const ModelInput& input, const Layout& layout);
  ~ModelImage();
  void Add(const ImageView& rows);
  /// After the last row: fills 3 x side x side floats, one band after another, for each of input.Squares().
  void Finish(float* planes);
  /// What Finish has given, brought into a pose (PixelOfPose): each square is, and their order is left.
  static void Turn(const ModelInput& input, int pose, const float* planes, float* turned);
  /// Bytes it takes from the current pool, at most.
  static size_t PooledBytes(const ModelInput& input, const Layout& layout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
