// Round numbers for the ends and marks of axes.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "chart.h"
#include "imgmill/base/byte_size.h"

namespace imgmill {
namespace {

/// As many marks as fit a phone.
constexpr int kMostTicks = 6;

std::string Short(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// The least of 1, 2, 5, 10, 20 ... times a power of ten that takes at most kMostTicks steps to `high`.
double RoundStep(double high) {
  double step = std::pow(10.0, std::floor(std::log10(high / kMostTicks)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (high / (step * factor) <= kMostTicks) return step * factor;
  }
  return 20 * step;
}

}  // namespace

ChartAxis ChartAxis::OfBytes(double high) {
  ChartAxis axis;
  double step = 1024;
  while (high / step > kMostTicks) step *= 2;
  axis.high_ = std::max(step, std::ceil(high / step) * step);
  for (double at = 0; at <= axis.high_; at += step)
    axis.ticks_.push_back({at, at == 0 ? "0" : FormatByteSize(static_cast<size_t>(at))});
  return axis;
}

ChartAxis ChartAxis::OfTime(double ms) {
  ChartAxis axis;
  axis.high_ = std::max(ms, 1.0);
  const double unit = axis.high_ < 120e3 ? 1e3 : axis.high_ < 7200e3 ? 60e3 : 3600e3;
  const char* const name = unit == 1e3 ? " s" : unit == 60e3 ? " min" : " h";
  const double step = RoundStep(axis.high_ / unit);
  for (int i = 0; i <= kMostTicks + 1 && i * step * unit <= axis.high_; ++i)
    axis.ticks_.push_back({i * step * unit, Short(i * step) + name});
  return axis;
}

ChartAxis ChartAxis::OfNumbers(double high, bool whole) {
  ChartAxis axis;
  const double least = whole ? 1 : 1e-3;
  const double step = std::max(RoundStep(std::max(high, least)), whole ? 1.0 : 0.0);
  axis.high_ = std::max(step, std::ceil(high / step) * step);
  for (int i = 0; i <= kMostTicks + 1 && i * step <= axis.high_ * 1.0001; ++i)
    axis.ticks_.push_back({i * step, Short(i * step)});
  return axis;
}

ChartAxis ChartAxis::OfByteMagnitudes(double low, double high) {
  ChartAxis axis;
  axis.logarithmic_ = true;
  const double first = std::floor(std::log2(std::max(low, 1.0)));
  const double last = std::max(first + 1, std::ceil(std::log2(std::max(high, 1.0))));
  axis.low_ = std::exp2(first);
  axis.high_ = std::exp2(last);
  const double step = std::ceil((last - first) / (kMostTicks - 1));
  for (double power = first; power <= last; power += step)
    axis.ticks_.push_back({std::exp2(power), FormatByteSize(static_cast<size_t>(std::exp2(power)))});
  return axis;
}

double ChartAxis::Place(double value) const {
  const double place = logarithmic_ ? (std::log2(std::max(value, 1.0)) - std::log2(low_)) /
                                          (std::log2(high_) - std::log2(low_))
                                    : (value - low_) / (high_ - low_);
  return std::clamp(place, 0.0, 1.0);
}

}  // namespace imgmill
