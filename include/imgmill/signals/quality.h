// One number by which dedup prefers the sharper of two pictures of equal size.
#pragma once

#include <memory>

#include "imgmill/image/image.h"

namespace imgmill {

/// Variance of the 3x3 Laplacian (0 1 0; 1 -4 1; 0 1 0) of 8-bit luma, over all pixels with a full
/// neighbourhood, fed row by row (OpenCV does the filtering). 0 for flat or tiny images; typically 50 to 3000
/// for photos. Source: Pech-Pacheco et al., ICPR 2000.
class SharpnessMeter {
 public:
  explicit SharpnessMeter(const Layout& layout);
  ~SharpnessMeter();
  void Add(const ImageView& rows);
  double Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
