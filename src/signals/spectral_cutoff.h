// The finest detail in an image, from the spectra of some of its rows: what tells one that was enlarged.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "imgmill/image/image.h"

namespace imgmill {

class SpectralCutoff {
 public:
  /// Pixels of a stretch of a row whose spectrum is taken. Narrower images have no value.
  static constexpr int64_t kStretch = 256;

  /// @param layout  of the whole image
  explicit SpectralCutoff(const Layout& layout);
  /// Each row of luma, in order.
  void Add(const uint8_t* luma, int64_t y);
  /// How much larger the image is than it need be to hold its finest detail: 1 and more.
  std::optional<double> Excess() const;

 private:
  void AddStretches(const uint8_t* one, const uint8_t* other);

  static constexpr int64_t kMostRows = 64;
  static constexpr int64_t kMostStretches = 4;  ///< in a row
  static constexpr int64_t kMostInAll = 64;

  int64_t rows_ = 0;  ///< that are looked at, spread over the height
  int64_t next_ = 0;  ///< of them
  int64_t height_ = 0;
  std::vector<int64_t> starts_;                   ///< of the stretches in a row
  std::array<double, kStretch / 2 + 1> power_{};  ///< by frequency, summed up
};

}  // namespace imgmill
