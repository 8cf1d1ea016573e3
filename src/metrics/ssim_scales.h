// SSIM of one channel, fed row by row: at full size, and for MS-SSIM at four halved sizes, too.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "imgmill/memory/pool_array.h"
#include "metrics/metric_kernels.h"

namespace imgmill {

/// Scales of MS-SSIM.
inline constexpr int kMsSsimScales = 5;

/// SSIM at one size. The last 11 rows are held, whatever the height.
class SsimRows {
 public:
  /// @param peak  the value of white: 255 for 8 bits. @throws OutOfMemory
  SsimRows(int64_t width, float peak);
  /// The next row from above, of both images.
  void Add(const float* a, const float* b);

  /// Means over all windows that lie within the image; nothing where none does.
  std::optional<double> Ssim() const { return Mean(sums_.ssim); }
  std::optional<double> Contrast() const { return Mean(sums_.contrast); }

  static size_t PooledBytes(int64_t width);

 private:
  std::optional<double> Mean(double sum) const {
    return windows_ > 0 ? std::optional<double>(sum / static_cast<double>(windows_)) : std::nullopt;
  }
  float* RingRow(size_t slot, size_t map) { return ring_.data() + (slot * kSsimMaps + map) * stride_; }

  int64_t width_;
  size_t stride_;
  SsimTerms terms_;
  SsimWeights weights_;
  PoolArray<float> ring_, down_;
  int64_t seen_ = 0, windows_ = 0;
  SsimRow sums_;
};

/// One channel at one or five sizes. A size is halved as pytorch-msssim does it: means of 2x2 pixels, and
/// where a side is odd, a line of zeros is put in front.
class SsimScales {
 public:
  SsimScales(int64_t width, int64_t height, float peak, int scales);
  void Add(const float* a, const float* b) { Add(0, a, b); }

  std::optional<double> Ssim() const { return scales_.front().rows.Ssim(); }
  /// Product over the scales (Wang, Simoncelli and Bovik 2003), with a negative factor taken as 0; nothing
  /// where the smallest scale holds no window, which takes a side of more than 160 pixels.
  std::optional<double> MsSsim() const;

  static size_t PooledBytes(int64_t width, int scales);

 private:
  struct Scale {
    Scale(int64_t its_width, int64_t its_height, float peak, bool halved);
    int64_t width;
    SsimRows rows;
    bool holds_row;            ///< the first of two rows to be halved
    PoolArray<float> held;     ///< that row, of both images
    PoolArray<float> smaller;  ///< the row that is made of two
  };
  void Add(size_t scale, const float* a, const float* b);

  std::vector<Scale> scales_;
};

}  // namespace imgmill
