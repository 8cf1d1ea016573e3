// Pictures by formula, drawn alike by bench/peers/compare_parity.py --golden.
#pragma once

#include <algorithm>
#include <cstdint>

#include "imgmill/image/image.h"
#include "imgmill/metrics/pair_meter.h"

namespace imgmill {

/// 8 bits, 0 to 223.
inline int64_t FirstSample(int64_t x, int64_t y, int64_t c) {
  return (x * 7 + y * 13 + c * 31 + x * y / 5) % 256 / 2 + (x / 9 * 29 + y / 7 * 17 + c * 5) % 97;
}
inline int64_t SecondSample(int64_t x, int64_t y, int64_t c) {
  return std::max<int64_t>(0, FirstSample(x, y, c) + (x * 37 + y * 101 + c * 17) % 23 - 11 - 4 * c);
}
/// The same with something in the lower 8 bits.
inline int64_t FirstDeepSample(int64_t x, int64_t y, int64_t c) {
  return FirstSample(x, y, c) * 257 + (x * 11 + y * 3 + c) % 257;
}
inline int64_t SecondDeepSample(int64_t x, int64_t y, int64_t c) {
  return SecondSample(x, y, c) * 257 + (x * 5 + y * 19) % 257;
}

template <typename T, typename Sample>
Image Draw(const Layout& layout, const Sample& sample) {
  Image image(layout);
  for (int64_t y = 0; y < layout.height; ++y) {
    T* row = reinterpret_cast<T*>(image.row(y));
    for (int64_t x = 0; x < layout.width; ++x) {
      for (int64_t c = 0; c < layout.bands; ++c) *row++ = static_cast<T>(sample(x, y, c));
    }
  }
  return image;
}

inline MetricSet EveryMetric() {
  MetricSet metrics;
  for (const MetricInfo& info : AllMetrics()) metrics.Add(info.metric);
  return metrics;
}

inline PairFigures Measure(const Image& a, const Image& b, MetricSet metrics = EveryMetric()) {
  const PairShape shape = ShapeOf(a.layout(), b.layout());
  PlaneRows of_a(a.layout(), shape), of_b(b.layout(), shape);
  PairMeter meter(shape, metrics);
  for (int64_t y = 0; y < shape.height; ++y) meter.Add(of_a.Take(a.row(y), 0), of_b.Take(b.row(y), 0));
  return meter.Finish();
}

}  // namespace imgmill
