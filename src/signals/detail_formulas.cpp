// From sums of neighbourhoods to values; the formulas' sources are in signal_set.h.
#include <algorithm>
#include <cmath>

#include "signals/detail_meter.h"

namespace imgmill {
namespace {

// The ends of jpeg_visible's scale, that of the people whose judgements the formula follows.
constexpr double kMostTraces = 1, kNoTraces = 10;

/// Steps across the borders of blocks, and of all pixels, as means, along one axis.
struct AxisSteps {
  double border = 0;
  double all = 0;
};

AxisSteps StepsOf(const std::array<uint64_t, 8>& by_phase, int64_t side, int64_t other) {
  AxisSteps steps;
  uint64_t total = 0;
  for (size_t phase = 0; phase < 8; ++phase) {
    total += by_phase[phase];
    const int64_t places = (side - 1 - static_cast<int64_t>(phase)) / 8 + (phase == 0 ? 0 : 1);
    steps.border =
        std::max(steps.border, static_cast<double>(by_phase[phase]) / static_cast<double>(places * other));
  }
  steps.all = static_cast<double>(total) / static_cast<double>((side - 1) * other);
  return steps;
}

double Share(uint64_t count, int64_t columns, int64_t rows) {
  return static_cast<double>(count) / static_cast<double>(columns * rows);
}

}  // namespace

std::optional<double> SpatialInformation(const DetailSums& sums) {
  if (sums.width < 3 || sums.rows_above_two == 0) return std::nullopt;
  return std::sqrt(Share(sums.gradients, sums.width - 2, sums.rows_above_two));
}

std::optional<double> Blur(const DetailSums& sums) {
  std::optional<double> most;
  for (size_t axis = 0; axis < 2; ++axis) {
    if (sums.steps[axis] == 0) continue;
    const double left = 1 - static_cast<double>(sums.lost[axis]) / static_cast<double>(sums.steps[axis]);
    most = std::max(most.value_or(0), left);
  }
  return most;
}

std::optional<double> Interlacing(const DetailSums& sums) {
  if (sums.width < 4 || sums.height < 4) return std::nullopt;
  const double down = Share(sums.teeth[1], sums.width, sums.rows_above_three);
  const double along = Share(sums.teeth[0], sums.width - 3, sums.rows_above_three);
  return std::max(0.0, 100 * (down - along));
}

std::optional<double> JpegVisible(const DetailSums& sums, const SignalSums& steps) {
  if (std::min(sums.width, sums.height) < 16) return std::nullopt;
  const AxisSteps along = StepsOf(steps.column_steps, sums.width, sums.height);
  const AxisSteps down = StepsOf(steps.row_steps, sums.height, sums.width);
  const double border = (along.border + down.border) / 2;
  const double activity = (8 * (along.all + down.all) / 2 - border) / 7;
  const double crossings = (Share(sums.extrema[0], sums.width - 2, sums.rows_above_two) +
                            Share(sums.extrema[1], sums.width, sums.rows_above_two)) /
                           2;
  if (border <= 0) return std::nullopt;
  if (!HasBlockGrid(steps)) return kNoTraces;
  const double quality = -245.8909 + 261.9373 * std::pow(border, -0.02398886) *
                                         std::pow(std::max(activity, 0.0), 0.01601664) *
                                         std::pow(crossings, 0.00642859);
  return std::clamp(quality, kMostTraces, kNoTraces);
}

double Letterbox(const DetailSums& sums) {
  const Bars& bars = sums.bars;
  if (bars.top == sums.height || bars.left == sums.width) return 100;
  const auto inner =
      static_cast<double>((sums.width - bars.left - bars.right) * (sums.height - bars.top - bars.bottom));
  return 100 * (1 - inner / static_cast<double>(sums.width * sums.height));
}

double Border(const DetailSums& sums) {
  const Bars& bars = sums.bars;
  if (bars.top == sums.height || bars.left == sums.width)
    return static_cast<double>(std::min(sums.width, sums.height)) / 2;
  return static_cast<double>(std::min({bars.left, bars.top, bars.right, bars.bottom}));
}

}  // namespace imgmill
