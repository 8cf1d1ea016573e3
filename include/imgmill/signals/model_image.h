// What a model is shown of an image: a small square of floats, made row by row.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "imgmill/image/image.h"

namespace imgmill {

/// How pixels become a model's input. Another value anywhere gives other vectors.
struct ModelInput {
  /// Pixels each way.
  int side = 224;
  /// Input = pixel * scale + shift for pixels of 0..255, a band each.
  std::array<float, 3> scale = {1, 1, 1};
  std::array<float, 3> shift = {0, 0, 0};
  /// Take the largest square in the middle; otherwise the whole image is squeezed into the square.
  bool crop = false;
  /// Blue first.
  bool bgr = false;

  /// One line that is equal only for equal inputs.
  std::string Describe() const;
};

/// Resizes 8-bit RGB rows as Pillow's BILINEAR does (an average when shrinking), bit for bit.
class ModelImage {
 public:
  /// @param layout  of the whole image: 8-bit, 3 bands, at least 1x1.
  /// @throws OutOfMemory
  ModelImage(const ModelInput& input, const Layout& layout);
  ~ModelImage();
  void Add(const ImageView& rows);
  /// After the last row: fills 3 x side x side floats, one band after another.
  void Finish(float* planes);
  /// Bytes it takes from the current pool, at most.
  static size_t PooledBytes(const ModelInput& input, const Layout& layout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
