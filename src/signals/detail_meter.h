// Sums of neighbourhoods of luma, for the signals that need more rows than three: blur, combs, gradients,
// borders.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "imgmill/image/image.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/signals/signal_set.h"
#include "signals/detail_kernels.h"
#include "signals/signal_sums.h"

namespace imgmill {

/// Bars of one colour at an image's edges, in pixels.
struct Bars {
  int64_t left = 0, top = 0, right = 0, bottom = 0;
};

struct DetailSums {
  int64_t width = 0;
  int64_t height = 0;

  // Rows of which the sums below are: of tall images not all.
  int64_t rows_above_two = 0;    ///< with two rows above
  int64_t rows_above_three = 0;  ///< with three

  uint64_t gradients = 0;  ///< squared, of 3x3 windows

  // Steps of luma, and what of them is lost when the image is blurred (11 times each): along rows, down
  // columns.
  std::array<uint64_t, 2> steps = {};
  std::array<uint64_t, 2> lost = {};

  std::array<uint64_t, 2> extrema = {};  ///< pixels above or below both neighbours: along rows, down columns
  std::array<uint64_t, 2> teeth = {};    ///< places of four pixels that go up and down

  Bars bars;
};

/// Every which row is looked at, for sums of which half the rows tell as much: each, or of tall images every
/// second.
constexpr int64_t RowStep(const Layout& layout) {
  return layout.height < 512 ? 1 : 2;
}

/// Feeds on rows of luma, top to bottom; holds 16 rows.
class DetailMeter {
 public:
  DetailMeter(const Layout& layout, SignalSet wanted);
  void Add(const uint8_t* luma);
  const DetailSums& Finish();
  /// Whether any of the wanted signals is made of these sums.
  static bool IsWanted(SignalSet wanted);
  static size_t PooledBytes(const Layout& layout);

 private:
  static constexpr size_t kRows = 16;  // a power of two, and kBlurRows fit

  const uint8_t* Row(int64_t y) const {
    return rows_.data() + static_cast<size_t>(y) % kRows * static_cast<size_t>(width_);
  }
  void AddGradients(int64_t y);
  void AddExtrema(int64_t y);
  void AddTeeth(int64_t y);
  void AddBlur(int64_t y);
  void AddBars(const uint8_t* luma, int64_t y);

  const DetailKernels& kernels_ = BestDetailKernels();
  const int64_t width_;
  const int64_t row_step_;
  const bool gradients_;
  const bool extrema_;
  const bool teeth_;
  const bool blur_;
  const bool bars_;

  PoolArray<uint8_t> rows_;
  PoolArray<uint8_t> low_, high_;  // of each column
  DetailSums sums_;

  // Bars above and below: rows of one level, as far as they follow each other.
  bool at_top_ = true;
  int64_t run_ = 0;
  int level_ = 0;
};

// Each is the signal of the same name, as signal_set.h describes it.
std::optional<double> SpatialInformation(const DetailSums& sums);
std::optional<double> Blur(const DetailSums& sums);
std::optional<double> Interlacing(const DetailSums& sums);
std::optional<double> JpegVisible(const DetailSums& sums, const SignalSums& steps);
double Letterbox(const DetailSums& sums);
double Border(const DetailSums& sums);

}  // namespace imgmill
