#include "networks/kernels/graph_image.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace imgmill {
namespace {

/// Row i of the squares that row y becomes, of one band.
bool PutOutRow(const GraphPlan& plan, const KernelImage& image, int y, int i, int band,
               const MapPixels<const float>& from) {
  constexpr float kMost = std::numeric_limits<float>::max();
  const GraphOutput& output = plan.output;
  const int s = output.shuffle, scale = plan.scale;
  const auto width = static_cast<size_t>(image.width * scale), row = static_cast<size_t>(y * s + i);
  const auto plane = static_cast<size_t>(band) * static_cast<size_t>(image.height);
  float* to = image.output + (plane * static_cast<size_t>(scale) + row) * width;
  const float* square = from.first + (band * s + i) * s;
  const float* input =
      image.input + (plane + row / static_cast<size_t>(scale)) * static_cast<size_t>(image.width);
  bool finite = true;
  for (size_t x = 0; x < width; square += from.pixel) {
    const size_t end = std::min(x + static_cast<size_t>(s), width);
    for (const float* value = square; x < end; ++x, ++value) {
      float made = *value;
      if (output.adds_input) made += input[x / static_cast<size_t>(scale)];
      finite &= std::abs(made) <= kMost;
      if (output.end != MapFunction::kNone) Apply(output.end, &made, 1);
      to[x] = std::min(std::max(made, 0.0f), 1.0f);
    }
  }
  return finite;
}

}  // namespace

void TakeInRow(const GraphInput& input, const KernelImage& image, const GraphShape& shape, int y,
               const MapPixels<float>& to) {
  const int u = input.unshuffle, shown = input.bands * u * u;
  const auto width = static_cast<size_t>(image.width), plane = static_cast<size_t>(image.height) * width;
  const bool mirrors = shape.Height(0) * u < 2 * image.height && shape.Width(0) * u < 2 * image.width;
  float* pixel = to.first;
  for (int x = 0; x < shape.Width(0); ++x, pixel += to.pixel) {
    std::memset(pixel, 0, to.pixel * sizeof(float));
    for (size_t n = 0; n < input.told.size(); ++n) pixel[static_cast<size_t>(shown) + n] = input.told[n];
    for (int c = 0; c < shown; ++c) {
      const int band = c / (u * u), inner = c % (u * u);
      const int from_y = SourceOf(y * u + inner / u, image.height, input, mirrors);
      const int from_x = SourceOf(x * u + inner % u, image.width, input, mirrors);
      if (from_y < 0 || from_x < 0) continue;  // zeros
      const float value = image.input[static_cast<size_t>(band) * plane +
                                      static_cast<size_t>(from_y) * width + static_cast<size_t>(from_x)];
      const float mean = input.mean.empty() ? 0.0f : input.mean[static_cast<size_t>(band)];
      pixel[c] = (value - mean) * input.range;
    }
  }
}

bool PutOutRows(const GraphPlan& plan, const KernelImage& image, int y, const MapPixels<const float>& from) {
  const int s = plan.output.shuffle;
  bool finite = true;
  for (int i = 0; i < s && y * s + i < image.height * plan.scale; ++i) {
    for (int band = 0; band < plan.input.bands; ++band) finite &= PutOutRow(plan, image, y, i, band, from);
  }
  return finite;
}

}  // namespace imgmill
