// One number by which dedup prefers the sharper of two pictures of equal size.
#pragma once

#include <cstddef>
#include <memory>

#include "imgmill/image/image.h"

namespace imgmill {

/// Variance of the 3x3 Laplacian (0 1 0; 1 -4 1; 0 1 0) of 8-bit luma, over all pixels with a full
/// neighbourhood, fed row by row (OpenCV does the filtering). Sums are whole numbers, so the value does not
/// depend on how the rows were cut into strips. 0 for flat images and those under 3x3; typically 50 to 3000
/// for photos. Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
class SharpnessMeter {
 public:
  /// @param layout  of the whole image: 8-bit, 1 or 3 bands.
  /// @throws OutOfMemory
  explicit SharpnessMeter(const Layout& layout);
  ~SharpnessMeter();
  void Add(const ImageView& rows);
  double Finish();
  /// Bytes it takes from the current pool: a strip of luma and one of the Laplacian, about 130 a column.
  static size_t PooledBytes(const Layout& layout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

double Sharpness(const ImageView& image);

}  // namespace imgmill
