// How far apart two images of one size are: the figures of `imgmill compare`, and from rows all of them that
// need no network.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "imgmill/image/image.h"

namespace imgmill {

/// Values are on the scale of 8 bits, 0 to 255, whatever the depth of the files.
enum class Metric {
  /// Peak signal-to-noise ratio over all colour samples, in dB: 20 log10(255 / rmse). Infinite for equal
  /// ones.
  kPsnr,
  /// The same of luma Y' in studio range, 16 to 235, unrounded: 16 + (65.481 R + 128.553 G + 24.966 B) / 255
  /// (ITU-R BT.601), as BasicSR's rgb2ycbcr has it.
  kPsnrY,
  /// Structural similarity (Wang et al. 2004): 11x11 Gaussian windows of sigma 1.5 that lie within the image,
  /// K1
  /// = 0.01, K2 = 0.03, population variances; the mean over the channels. 1 for equal images.
  kSsim,
  kSsimY,  ///< of luma
  /// Multi-scale SSIM (Wang et al. 2003): five scales, the mean over the channels.
  kMsSsim,
  kMae,   ///< mean absolute error
  kRmse,  ///< root of the mean squared error
  kMax,   ///< largest difference of two samples
  /// Of alpha alone, which the metrics of colours, taken over white, do not see. 0 where neither has alpha.
  kAlphaMae,
  kAlphaMax,
  /// Learned perceptual image patch similarity (Zhang et al. 2018), by a network. 0 for equal images.
  kLpips
};
inline constexpr size_t kMetrics = 11;

struct MetricInfo {
  Metric metric;
  std::string_view name;   ///< of flags and tables: "ssim-y"
  std::string_view field;  ///< of JSON documents: "ssim_y"
  std::string_view meaning;
  bool more_is_better;
  int decimals;             ///< that tables show
  bool by_network = false;  ///< PairMeter does not give it
};
std::span<const MetricInfo, kMetrics> AllMetrics();
const MetricInfo& InfoOf(Metric metric);
/// By the name of flags or the field of documents; nothing if no metric has it.
std::optional<Metric> MetricFromName(std::string_view name);

struct MetricSet {
  uint32_t bits = 0;
  bool Has(Metric metric) const { return (bits >> static_cast<int>(metric) & 1) != 0; }
  void Add(Metric metric) { bits |= 1u << static_cast<int>(metric); }
};

/// What came out; NaN for what was not asked for, or has no value: SSIM below 11 pixels on a side, MS-SSIM up
/// to 160, LPIPS below 32. The figures of alpha always have a value.
struct PairFigures {
  PairFigures() { values.fill(std::numeric_limits<double>::quiet_NaN()); }
  double operator[](Metric metric) const { return values[static_cast<size_t>(metric)]; }
  double& operator[](Metric metric) { return values[static_cast<size_t>(metric)]; }

  std::array<double, kMetrics> values;
  bool equal = false;      ///< every sample, alpha included
  bool finite = true;      ///< false: float samples that are no numbers, or infinite
  bool has_alpha = false;  ///< one of them, at least
  bool alpha_differs() const { return (*this)[Metric::kAlphaMax] > 0; }
};

/// What the two images have in common.
struct PairShape {
  int64_t width = 0;
  int64_t height = 0;
  int colours = 3;     ///< 3, or 1 where both are grey
  bool alpha = false;  ///< of either
  double peak = 255;   ///< the value of white in rows

  size_t planes() const { return static_cast<size_t>(colours) + (alpha ? 1 : 0); }
};

/// How two images are put on one scale, by their layouts: 0 to 255 if both are of 8 bits, to 65535 if one has
/// 16 (8-bit values times 257), to 1 if one is float.
PairShape ShapeOf(const Layout& a, const Layout& b);

/// One row of an image as planes of floats, flattened on white where it has alpha; alpha itself last, where
/// the pair has any.
struct PlaneRow {
  std::array<const float*, 4> planes{};
};

/// Rows of samples as plane rows.
class PlaneRows {
 public:
  /// @param layout  of the rows: with as many colours as `shape`, or 1 where it has 3: grey counts for all.
  /// @throws OutOfMemory
  PlaneRows(const Layout& layout, const PairShape& shape);
  ~PlaneRows();
  /// `shape`.width pixels of `row` from pixel `first` on. Good until the next call.
  PlaneRow Take(const uint8_t* row, int64_t first);
  static size_t PooledBytes(const PairShape& shape);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Fed with the rows of both images from the top. Memory grows with their width only.
class PairMeter {
 public:
  /// @throws OutOfMemory
  PairMeter(const PairShape& shape, MetricSet metrics);
  ~PairMeter();
  void Add(const PlaneRow& a, const PlaneRow& b);
  /// After the last row.
  PairFigures Finish() const;
  static size_t PooledBytes(const PairShape& shape, MetricSet metrics);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
